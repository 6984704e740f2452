"""Which words have a neuron?"""

from dataclasses import replace

from analysis.declaration import HELD_OUT, SEED, Experiment, Figure, Option

EXPERIMENT = Experiment(
    name="library",
    title="Which words have a neuron",
    asks="Which words have a neuron? One row a question, and who has none.",
    returns="JSON: a row for each question: whether one neuron says the word, its recovery on "
    "pairs that took no part in choosing it, its lead, controls, how many neurons take half, "
    "precision and recall on news.",
    needs=("pair", "held_out", "corpus"),
    options=(
        Option("screen", int, 64, "Patch only the K likeliest neurons.", low=2, high=1000),
        replace(HELD_OUT, low=3),
        Option(
            "documents", int, 32, "News articles read for precision and recall; 0 is none.", low=0
        ),
        SEED,
    ),
    figures=(Figure("library"),),
    study=None,
)
