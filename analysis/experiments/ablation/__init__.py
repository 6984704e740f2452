"""What is lost when a neuron's activation is taken away?"""

from analysis.declaration import SEED, Experiment, Figure, Option

EXPERIMENT = Experiment(
    name="ablation",
    title="Ablation",
    asks="What is lost when a neuron's activation is taken away?",
    returns="JSON: by method, the change of answer and loss on prompts and on news.",
    needs=("prompts", "held_out", "neuron", "corpus"),
    long=True,
    options=(
        Option(
            "positions",
            str,
            "last",
            "Change prompts at the last position, or all.",
            choices=("last", "all"),
        ),
        Option("draws", int, 32, "Resample draws for each prompt.", low=2, high=10_000),
        Option("matched", int, 50, "Neurons of the layer to compare with.", low=0, high=1000),
        Option(
            "windows", int, 80, "Corpus windows before the target, and others.", low=2, high=700
        ),
        SEED,
    ),
    brief=(("heading", "caption"), ("corpus_caption",)),
    figures=(
        Figure("ablation", key=True),
        Figure("ablation_by_activation", "activation_caption", needs=("held_out",)),
        Figure("collateral", "corpus_caption"),
    ),
    also="ablate",
    tab="intervention",
)
