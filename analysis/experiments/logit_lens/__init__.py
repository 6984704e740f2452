"""After which half layer does the answer appear in the residual stream?"""

from analysis.declaration import Experiment, Figure

EXPERIMENT = Experiment(
    name="logit_lens",
    title="The logit lens",
    asks="After which half layer does the answer appear in the residual stream?",
    returns="JSON: the logit difference after every half layer, for both prompts.",
    needs=("prompts",),
    figures=(Figure("logit_lens"),),
    also="lens",
    app={},
    tab="patching",
    intro="Read the residual stream half a layer at a time, as if the model ended there: where "
    "does the answer appear? What is written there need not be what mattered; patching tells.",
    quick=True,
    seconds=5,
)
