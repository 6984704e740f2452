"""Where does a neuron's pre-activation come from?"""

from analysis.declaration import HELD_OUT, Experiment, Figure

EXPERIMENT = Experiment(
    name="upstream",
    title="Upstream",
    asks="Where does a neuron's pre-activation come from?",
    returns="JSON: parts that sum to the pre-activation, heads by source token, one step further "
    "back.",
    needs=("pair", "held_out", "neuron"),
    even=True,
    options=(HELD_OUT,),
    brief=(("heading", "caption"),),
    figures=(
        Figure("upstream"),
        Figure("upstream_sources", "sources_caption", key=True, module="figures_words"),
        Figure("upstream_chain", "chain_caption"),
        Figure("upstream_steps", "steps_caption"),
        Figure(
            "upstream_pairs",
            "pairs_caption",
            module="figures_words",
            needs=("held_out",),
            live=False,
        ),
        Figure("upstream_alignment", "alignment_caption", live=False),
    ),
    group="How it works",
    app={"held_out": 0},
    button="Split what the neuron reads",
    intro="Where does the neuron’s pre-activation come from: which heads, reading which token, and "
    "what moved those? With the norm as it was, the parts sum to the whole.",
)
