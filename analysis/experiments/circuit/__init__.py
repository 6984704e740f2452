"""Along which edges does the difference travel from the exchanged token to the answer?"""

from analysis.declaration import HELD_OUT, SEED, Experiment, Figure, Live, Option

LEAST = Option(
    "least",
    float,
    0.05,
    "An edge is drawn that alone moves so much of the difference, either way.",
    low=0.0,
    high=1.0,
    live=Live(low=0.01, high=0.3, step=0.01, label="An edge moves at least"),
)

EXPERIMENT = Experiment(
    name="circuit",
    title="The circuit",
    asks="Along which edges does the difference travel from the exchanged token to the answer?",
    returns="JSON: the nodes and edges that are drawn, with what each moves alone; how much comes "
    "back through them alone, and through all others; the same by size, with random circuits; "
    "CPR and CMD. An MLP's node is what is left of it without the neurons set apart.",
    needs=("pair", "held_out"),
    even=True,
    options=(LEAST, HELD_OUT, SEED),
    brief=(("caption",),),
    figures=(
        Figure("circuit"),
        Figure("circuit_sizes", "sizes_caption"),
    ),
    app={"held_out": 0},
    tab="circuit",
    group="How it works",
    button="Draw the circuit",
    intro="What heads, MLPs and neurons add to each other’s input, from the exchanged token on.",
    seconds=60,
)
