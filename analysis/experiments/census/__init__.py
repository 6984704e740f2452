"""Which neuron writes which word, over all neurons and tokens, and does it matter?"""

from analysis.declaration import SEED, Experiment, Figure, Option

EXPERIMENT = Experiment(
    name="census",
    title="Every neuron against every token",
    asks="Which neuron writes which word, over all neurons and tokens, and does it matter?",
    returns="JSON: pairs of a word and its neuron, neurons of the target, hubs, and behaviour.",
    needs=("neuron if named", "corpus"),
    single="it weighs every token by itself",
    options=(
        Option("token", str, None, "The token whose neurons are listed, else the target.", high=80),
        Option("top", int, 20, "How many pairs to print.", low=1, shows=True),
        Option(
            "behaviour", bool, True, "Compare the neurons with what the model predicts on news."
        ),
        Option("tokens", int, 8192, "How many tokens of news, about.", low=1),
        SEED,
    ),
    once=True,
    figures=(
        Figure("census"),
        Figure("hubs", "hubs_caption"),
        Figure("agreement", "behaviour_caption"),
    ),
    report={"top": 200},
    tab="direct_effect",
)
