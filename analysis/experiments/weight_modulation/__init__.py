"""What does the model answer and write with a neuron's weights scaled, or flipped?"""

from analysis.declaration import SEED, Experiment, Figure, Option

EXPERIMENT = Experiment(
    name="weight_modulation",
    title="Weight modulation",
    asks="What does the model answer and write with a neuron's weights scaled, or flipped?",
    returns="JSON: answer and loss by factor, beside matched neurons, and what is written.",
    needs=("prompts", "neuron", "corpus"),
    options=(
        Option("length", int, 12, "Tokens to write on.", low=1, high=200),
        Option("texts", int, 20, "News texts to measure the loss on.", low=2),
        SEED,
    ),
    figures=(Figure("weight_modulation"),),
    also="modulate",
    tab="intervention",
)
