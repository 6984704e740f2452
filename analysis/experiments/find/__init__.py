"""Which neurons write the target rather than the foil, and which carry it here?"""

from analysis.declaration import SEED, Experiment, Figure, Live, Option

EXPERIMENT = Experiment(
    name="find",
    title="Find a neuron",
    asks="Which neurons write the target rather than the foil, and which carry it between prompts?",
    returns="JSON: whether there is little to explain, the best neuron, neurons by weights and by "
    "patching, those on both lists, those that work against the answer.",
    needs=("pair",),
    options=(
        Option(
            "screen",
            int,
            64,
            "Patch only the K best by attribution; 0 patches all.",
            low=0,
            live=Live(low=16, high=1024),
        ),
        SEED,
    ),
    figures=(Figure("found"),),
    study=None,
    app={},
    button="Find the neuron",
    intro="Give a target, a foil and two prompts that call for them. Every neuron is ranked by "
    "what its weights write, and the likeliest are patched: a neuron that is high on both lists "
    "writes the word and is used for it here. Press a neuron to make it the neuron of every tab.",
    seconds=15,
)
