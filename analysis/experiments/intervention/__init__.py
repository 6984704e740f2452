"""What does the model answer, and write on, with a neuron's activation exchanged?"""

from analysis.declaration import SEED, Experiment, Figure, Live, Option

FACTOR = Option(
    "factor",
    float,
    2.0,
    "What the last setting multiplies the activation by.",
    low=-100.0,
    high=100.0,
    live=Live(low=-10.0, high=10.0, step=0.5, label="Multiply the activation by"),
)
LENGTH = Option("length", int, 12, "Tokens to write on.", low=0, high=200, live=Live(high=40))

EXPERIMENT = Experiment(
    name="intervention",
    title="One activation exchanged",
    asks="What is answered, and written on, with a neuron's activation exchanged in one prompt?",
    returns="JSON: zero, mean, resample, negate and factor: probabilities, KL and the text that "
    "follows.",
    needs=("prompts", "neuron", "corpus"),
    options=(FACTOR, LENGTH, SEED),
    figures=(Figure("intervention"),),
    also="intervene",
    group="Test it",
    app={"length": 4},
    button="Exchange it",
    intro="At the end of the clean prompt the neuron’s activation is exchanged: for zero, for its "
    "mean on news, for draws from news, for its negative (what the original study did), and for a "
    "multiple of it that you choose.",
    quick=True,
)
