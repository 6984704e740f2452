"""Which tokens does a neuron write, whatever the prompt?"""

from analysis.declaration import SEED, Experiment, Figure

EXPERIMENT = Experiment(
    name="direct_effect",
    title="Direct effect",
    asks="Which tokens does a neuron write, whatever the prompt?",
    returns="JSON: the tokens raised and lowered most, rank and standard score of the target.",
    needs=("neuron",),
    options=(SEED,),
    brief=(("target",),),
    figures=(
        Figure("direct_effect", signed=True),
        Figure("written_tokens", "tokens_caption", key=True, signed=True),
    ),
    group="How it works",
    app={},
    button="Read its output weights",
    intro="Each neuron adds a fixed vector to the residual stream. Read against the unembedding, "
    "that vector raises some tokens and lowers others, whatever the prompt.",
    quick=True,
    seconds=5,
)
