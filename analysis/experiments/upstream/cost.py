"""What it costs to split what a neuron reads."""

from analysis.cost import whole
from analysis.inputs import Inputs
from analysis.subject import Subject

READS = 12
"""Times that each prompt of a pair is read: split, and patched along the chain."""


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer: of the pair and of as many held-out pairs as are read."""
    question = given.question
    return READS * (1 + given["held_out"]) * whole(subject, question.clean, question.corrupted)


def cheaper(_subject: Subject, given: Inputs, _most: int) -> str:
    """How to ask for less."""
    return "read fewer held-out pairs" if given["held_out"] else "shorten the prompts"
