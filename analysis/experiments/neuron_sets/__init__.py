"""How many neurons does it take?"""

from analysis.declaration import HELD_OUT, SEED, Experiment, Figure, Live, Option

SIZE = Option(
    "size",
    int,
    2,
    "Of so many neurons the answer is told besides.",
    low=1,
    live=Live(low=1, high=100),
)

EXPERIMENT = Experiment(
    name="neuron_sets",
    title="How many neurons",
    asks="How many neurons does it take, patched together?",
    returns="JSON: three rankings of neurons, the recovery of the first K of each, of random and "
    "matched sets and of all neurons, and what is written on with the first K; the smallest K for "
    "50, 80 and 90 %, and both on held-out pairs.",
    needs=("pair", "held_out"),
    options=(SIZE, HELD_OUT, SEED),
    brief=(("caption",),),
    figures=(
        Figure("neuron_sets"),
        Figure("neuron_sets_held_out", "held_out_caption", needs=("held_out",), live=False),
    ),
    app={"held_out": 0},
    tab="sets",
    group="How it works",
    button="Patch them together",
    intro="The best neurons together, each kept at its value from the clean run.",
    seconds=60,
)
