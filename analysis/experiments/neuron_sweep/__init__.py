"""How much of the difference between the prompts does each neuron alone recover?"""

from analysis.declaration import HELD_OUT, SEED, Experiment, Figure, Live, Option

TOP = Option("top", int, 20, "How many neurons to print.", low=1, shows=True)
PAIRS = Option(
    "pairs",
    int,
    1,
    "How many pairs choose together: the question's own, then others of its words or file.",
    low=1,
    high=100,
)
POSITIONS = Option(
    "positions", str, "last", "Patch the last position, or all.", choices=("last", "all")
)
SCREEN = Option(
    "screen",
    int,
    0,
    "Measure only the K best by attribution; 0 measures all.",
    low=0,
    live=Live(
        low=16,
        high=1024,
        label="Which neurons",
        choices=(("The 64 likeliest: seconds", 64), ("All, exactly: a minute on two cores", 0)),
    ),
)

EXPERIMENT = Experiment(
    name="neuron_sweep",
    title="Every neuron",
    asks="How much of the difference does each neuron alone recover?",
    returns="JSON: whether there is little to explain; the best and lowest neurons by recovery.",
    needs=("pair", "held_out"),
    long=True,
    options=(TOP, PAIRS, POSITIONS, SCREEN, HELD_OUT, SEED),
    brief=(("little", "standing"), ("confirmed",)),
    figures=(
        Figure("neuron_sweep", key=True),
        Figure("confirmation", "confirmation_caption", key=True, needs=("held_out",), live=False),
        Figure("attribution", "attribution_caption", live=False),
        Figure("screen_recall", "averaged", module="screen_figures", live=False),
    ),
    also="sweep",
    app={"screen": 64, "held_out": 0},
    report={"top": 100},
    tab="patching",
    button="Sweep the neurons",
    intro="Every neuron's activation, carried alone from one prompt into the other.",
    seconds=60,
)
