"""What it costs to patch every neuron, or the likeliest."""

from analysis.cost import patched, whole
from analysis.experiments.neuron_sweep.compute import CANDIDATES, OUTSIDE_SAMPLE
from analysis.inputs import Inputs
from analysis.subject import Subject

ATTRIBUTED = 2
"""Times that a prompt is read to attribute: there and back."""

OTHER_EFFECTS = 2
"""A candidate is noised, and denoised beside the best."""

PAIR_EFFECTS = 1 + OTHER_EFFECTS
"""In a held-out pair it is denoised alone, too."""

SCREENED = 64


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer: of the patched neurons, and of the prompts."""
    options = given.options
    return sweep_passes(
        subject, given, options["screen"], options["positions"], options["held_out"]
    )


def sweep_passes(
    subject: Subject, given: Inputs, screen: int, positions: str = "last", held_out: int = 0
) -> int:
    """The same for what a sweep is given."""
    pair = given.question.pair(subject)
    suffix = pair.suffix if positions == "all" else 1
    every = subject.n_layers * subject.d_mlp
    chosen = screen if 0 < screen < every else every
    others = min(OUTSIDE_SAMPLE, every - chosen) + OTHER_EFFECTS * CANDIDATES
    others += held_out * PAIR_EFFECTS * CANDIDATES
    tokens = sum(suffix + len(each.tokens) for each in pair.contrast.passes)
    neurons = patched(subject, 1, tokens) * (chosen + others) // subject.n_layers
    prompts = whole(subject, pair.clean.text, pair.corrupted.text)
    return neurons + prompts * (ATTRIBUTED + OTHER_EFFECTS * (1 + held_out))


def cheaper(_subject: Subject, given: Inputs, _most: int) -> str:
    """How to ask for less: the last position, or the likeliest neurons."""
    screened = 0 < given["screen"] <= SCREENED
    last = given.options.get("positions", "last") == "last"
    ways = ["patch the last position"] * (not last)
    ways += [f"measure the {SCREENED} likeliest"] * (not screened)
    return " and ".join(ways)
