"""What may not have been meant: told beside an answer, which stands as it was asked."""

from analysis.contrast import members
from analysis.questions import Question
from analysis.subject import Subject


def hints(subject: Subject, question: Question) -> tuple[str, ...]:
    """A sentence for each word that lacks its leading space, where with it it is a token too.

    In the middle of a text hardly any word begins without one: “dog” is then the end of another
    word, and has next to no probability.
    """
    return tuple(
        f"{word!r} has no space before it, as the end of another word; the word itself is "
        f"{f' {word}'!r}."
        for word in dict.fromkeys((*members(question.target), *members(question.foil)))
        if word[:1].isalpha() and _is_token(subject, f" {word}")
    )


def _is_token(subject: Subject, word: str) -> bool:
    return [subject.string(piece) for piece in subject.pieces(word)] == [word]
