"""Does a neuron tell other words apart, and in other sentences?"""

from analysis.declaration import SEED, Experiment, Figure, Option

EXPERIMENT = Experiment(
    name="generality",
    title="Other words and sentences",
    asks="Does a neuron tell other words apart, and in other sentences?",
    returns="JSON: by sentence, the neuron and the answer after either kind of word, and the AUC.",
    needs=("words", "neuron"),
    options=(
        Option("words", int, 20, "Words of either kind.", low=2, high=1000),
        SEED,
    ),
    brief=(("heading", "caption"),),
    figures=(Figure("generality", key=True, signed=True),),
    group="Test it",
    app={},
    button="Try other words and sentences",
    intro="A neuron chosen on one pair of prompts may know that pair and nothing else: here are "
    "the question’s other words and other sentences.",
    seconds=20,
)
