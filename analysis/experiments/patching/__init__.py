"""Which component, at which position, carries the difference between the prompts?"""

from analysis.declaration import Experiment, Figure, Option

COMPONENT = Option(
    "component",
    str,
    "mlp_out",
    "What to print: a stream by layer and position, z for single heads (at all positions at once), "
    "or all of them.",
    choices=("resid_pre", "attn_out", "mlp_out", "z", "all"),
    shows=True,
)

EXPERIMENT = Experiment(
    name="patching",
    title="Patching by layer and head",
    asks="Which component, at which position, carries the difference between the prompts?",
    returns="JSON: recovery by layer and position, both directions of patching.",
    needs=("pair",),
    long=True,
    even=True,
    options=(COMPONENT,),
    figures=(Figure("patching"), Figure("heads", "heads_caption")),
    also="patch",
    group="How it works",
    app={},
    report={"component": "all"},
    button="Patch layers and heads",
    intro="Run the corrupted prompt, but put one activation of the clean prompt in its place: how "
    "much of the difference between the prompts comes back?",
)
