"""Do the original study's published numbers come out here?"""

from analysis.declaration import Experiment

EXPERIMENT = Experiment(
    name="verification",
    title="The original's published numbers",
    asks="Do the original study's published numbers come out here? For its own model, gpt2-large.",
    returns="JSON: published beside computed, number by number.",
    also="verify",
)
