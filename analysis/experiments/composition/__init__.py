"""How much of a neuron's effect is direct, and what do later components add or cancel?"""

from analysis.declaration import HELD_OUT, Experiment, Figure, Option

TOP = Option("top", int, 20, "How many later neurons to print.", low=1, shows=True)

EXPERIMENT = Experiment(
    name="composition",
    title="Direct and indirect effect",
    asks="How much of a neuron's effect is direct, and what do later components add or cancel?",
    returns="JSON: total, direct and indirect effect, and the later components' parts.",
    needs=("pair", "held_out", "neuron"),
    single="its parts sum to a difference of two logits, and to the logarithm of a sum they do not",
    long=True,
    options=(TOP, HELD_OUT),
    brief=(("heading", "caption"),),
    figures=(
        Figure("composition", key=True),
        Figure(
            "composition_held_out",
            "held_out_caption",
            module="figures_held_out",
            needs=("held_out",),
            live=False,
        ),
        Figure(
            "composition_pushes",
            "pushes_caption",
            module="figures_held_out",
            needs=("held_out",),
            live=False,
        ),
    ),
    group="How it works",
    app={"held_out": 0},
    button="Split the effect",
    intro="How much of the neuron’s effect goes straight to the logits, and what do later heads "
    "and neurons add to it or take back?",
)
