"""Is there such a neuron in other models, too?"""

from analysis.declaration import HELD_OUT, SEED, Experiment, Figure, Option

EXPERIMENT = Experiment(
    name="comparison",
    title="Other models",
    asks="Is there such a neuron in other models too? One row a model, and who is missing.",
    returns="JSON: a row for each model, and the models that are missing.",
    needs=("pair", "held_out", "corpus"),
    options=(
        Option(
            "screen", int, 64, "Patch only the K likeliest neurons; 0 patches every one.", low=0
        ),
        HELD_OUT,
        SEED,
    ),
    once=True,
    figures=(
        Figure("comparison"),
        Figure("comparison_depth", caption="depth_caption"),
    ),
    also="compare",
    tab="find",
)
