"""What a visitor with two words can begin with: words, and prompts that call for them."""

from dataclasses import dataclass

from analysis import questions
from analysis.questions import ANY_WORD, Question
from space.view import library


@dataclass(frozen=True)
class Suggestion:
    """Two prompts for two words; where the words are empty, for any: ``{}`` stands for the word.

    Attributes:
        label: the words, the example's name, or whom the sentence fits.
        target: the token asked for, with its leading space.
        foil: the token it competes with.
        clean: the prompt that calls for the target.
        corrupted: the prompt that calls for the foil.
        question: the library's question that it belongs to.
    """

    label: str
    target: str
    foil: str
    clean: str
    corrupted: str
    question: str


def suggestions(first: Question) -> tuple[Suggestion, ...]:
    """The pairs of every question of the library, the first one's first; one for any words last."""
    ours = sorted(library(), key=lambda question: question.name != first.name)
    usual = questions.default().name
    return (
        *(each for question in ours for each in _pairs(question)),
        Suggestion("any two words", "", "", ANY_WORD, ANY_WORD, usual),
    )


def _pairs(question: Question) -> list[Suggestion]:
    """A question's own pair, and those of its examples."""
    words = f"{question.target.strip()} / {question.foil.strip()}"
    rows = [(words, question.clean, question.corrupted)]
    rows += [(each.name, each.clean, each.corrupted) for each in question.examples]
    return [
        Suggestion(label, question.target, question.foil, clean, corrupted, question.name)
        for label, clean, corrupted in rows
        if clean and corrupted
    ]
