"""What it costs to patch neurons together."""

from analysis.cost import patched, whole
from analysis.experiments.neuron_sets import rankings
from analysis.experiments.neuron_sets.compute import DRAWS
from analysis.experiments.neuron_sets.measured import CONTROLS, MEASURES, ORDERS
from analysis.inputs import Inputs
from analysis.subject import Subject

ATTRIBUTED = 2
"""Times that a prompt is read to attribute: there and back."""


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer: neurons alone, sets of them, and the prompts."""
    pair = given.question.pair(subject)
    every = subject.n_layers * subject.d_mlp
    most = min(rankings.SIZES[-1], every)
    alone = patched(subject, 1, 1) * min(rankings.SHORTLIST, every) // subject.n_layers
    sets_a_pair = len(ORDERS) * len(rankings.steps(most)) + len(CONTROLS) * DRAWS * len(
        rankings.SIZES
    )
    sets = _tried(most) + len(MEASURES) * (1 + int(given["held_out"])) * sets_a_pair
    prompts = whole(subject, pair.clean.text, pair.corrupted.text)
    return alone + sets * subject.n_layers + prompts * ATTRIBUTED * (1 + int(given["held_out"]))


def _tried(most: int) -> int:
    """Sets that are tried while the greedy order grows."""
    single = rankings.CANDIDATES * min(rankings.SINGLY, most)
    return single + sum(int(rankings.AGAIN * size) for size in rankings.BLOCKS if size <= most)


def cheaper(_subject: Subject, _given: Inputs, _most: int) -> str:
    """There is no way to ask for less."""
    return ""
