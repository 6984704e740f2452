"""What it costs to look for a question's neuron on many pairs."""

from analysis.cost import patched, whole
from analysis.experiments.library.chance import DRAWS
from analysis.experiments.library.compute import CHOOSING, SIZES
from analysis.inputs import Inputs
from analysis.subject import Subject

READ = 3
"""Times that a prompt is read: plain, and there and back to attribute."""


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer: the screen, the confirmation, its sets and controls."""
    question, screen, most = given.question, given["screen"], given["held_out"]
    pair, others = question.pair(subject), len(question.other_pairs(subject))
    choosing = min(CHOOSING, 1 + others // 2)
    confirming = min(most, 1 + others - choosing)
    whole_sets = len(SIZES) * subject.n_layers * confirming
    alone = choosing * screen + confirming * (2 + 2 * DRAWS)
    prompts = whole(subject, pair.clean.text, pair.corrupted.text) * (1 + others)
    return patched(subject, 1, 1) * alone // subject.n_layers + whole_sets + READ * prompts


def cheaper(_subject: Subject, given: Inputs, _most: int) -> str:
    """How to ask for less: fewer neurons, or fewer pairs."""
    fewer = ["measure fewer neurons"] * (given["screen"] > 16)
    return " and ".join([*fewer, *["confirm on fewer pairs"] * (given["held_out"] > 5)])
