"""What it costs to split a neuron's effect."""

from analysis.cost import whole
from analysis.inputs import Inputs
from analysis.subject import Subject

READS, READS_HELD_OUT = 4, 30
"""Times that each prompt of the pair is read, and of a held-out pair, where others write too."""

READS_OF_WORDS = 8
"""Those that words of several tokens add to either."""


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer: of the pair and of as many held-out pairs as are read."""
    question = given.question
    words = READS_OF_WORDS * question.contrast(subject).is_long
    reads = READS + words + (READS_HELD_OUT + words) * given["held_out"]
    return int(reads * whole(subject, question.clean, question.corrupted))


def cheaper(_subject: Subject, given: Inputs, _most: int) -> str:
    """How to ask for less."""
    return "read fewer held-out pairs" if given["held_out"] else "shorten the prompts"
