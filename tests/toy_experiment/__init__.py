"""A toy: how long are the tokens of a prompt? All that an experiment needs, and nothing else."""

from analysis.declaration import Experiment, Figure, Live, Option

LEAST = Option(
    "least",
    int,
    4,
    "Letters from which a token counts as long.",
    low=1,
    high=50,
    live=Live(high=20, step=1, label="Letters of a long token"),
)

EXPERIMENT = Experiment(
    name="toy_experiment",
    title="Long tokens",
    asks="How many tokens of the clean prompt are long?",
    returns="JSON: every token with its letters, and the share of long ones.",
    needs=("prompts",),
    options=(LEAST,),
    figures=(Figure("toy_experiment"),),
    app={},
    button="Count the letters",
    intro="Letters, counted.",
    quick=True,
    package="tests.toy_experiment",
)
