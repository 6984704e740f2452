"""Does a neuron follow the word's use, its look, or the example before it?"""

from analysis.declaration import SEED, Experiment, Figure

EXPERIMENT = Experiment(
    name="crossed",
    title="Example, frame and word",
    asks="Does a neuron follow the rule, the look of the word, or the example before it?",
    returns="JSON: by example, how well neuron and answer follow rule and cue, with and without "
    "the neuron; the share of variance that each factor explains.",
    needs=("crossed", "neuron", "corpus"),
    options=(SEED,),
    brief=(("heading", "caption"),),
    figures=(
        Figure("crossed", key=True, signed=True),
        Figure("rule_and_cue", "kinds_caption"),
        Figure("crossed_plan", "plan_caption", needs=("plan",)),
    ),
    seconds=180,
)
