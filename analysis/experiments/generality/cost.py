"""What it costs to put words into sentences."""

from analysis.cost import whole
from analysis.inputs import Inputs
from analysis.subject import Subject


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer: each word in every sentence, in the first one twice."""
    question, many = given.question, given["words"]
    words = [*question.target_words[:many], *question.foil_words[:many]]
    sentences = (question.template, question.template, *question.held_out_templates)
    return len(words) * whole(subject, *(each.format(words[0]) for each in sentences))


def cheaper(_subject: Subject, _given: Inputs, _most: int) -> str:
    """How to ask for less."""
    return "give fewer words"
