"""Does the finding hang on how the weights were rounded, or on how the text is given?"""

from analysis.declaration import SEED, Experiment, Figure, Option

DRAWS = Option("draws", int, 20, "How often the weights are drawn anew.", low=2, high=200)

EXPERIMENT = Experiment(
    name="robustness",
    title="Precision and prompt format",
    asks="Does the finding hang on how the weights were rounded, or on how the text is given?",
    returns="JSON: recovery, rank and answers with the weights drawn anew within one step of "
    "quantisation; the same, and how words are told apart, for each prompt format.",
    needs=("pair", "held_out", "neuron"),
    options=(DRAWS, SEED),
    brief=(("heading", "caption"),),
    figures=(
        Figure("robustness"),
        Figure("robustness_formats", "formats_caption", signed=True),
    ),
    seconds=180,
)
