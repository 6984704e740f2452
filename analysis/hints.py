"""What may not have been meant: told beside an answer, which stands as it was asked."""

from analysis.contrast import members
from analysis.questions import Question
from analysis.subject import Subject


def hints(subject: Subject, question: Question) -> tuple[str, ...]:
    """What may not have been meant, a sentence each."""
    hints = _without_space, _uneven, _unreadable
    return tuple(hint for each in hints for hint in each(subject, question))


def _unreadable(subject: Subject, question: Question) -> tuple[str, ...]:
    """Pairs that are written out and cannot be asked: nothing is left out in silence."""
    found = question.unreadable(subject)
    if not found:
        return ()
    place, why = next(iter(found.items()))
    return (
        f"{len(found)} of {len(question.pairs)} written pairs cannot be asked, first pairs.{place}"
        f" ({why.rstrip('.')}); `an-neuron question check` names them all.",
    )


def _uneven(subject: Subject, question: Question) -> tuple[str, ...]:
    """Prompts of unequal length, of which some things cannot be asked."""
    sizes = [len(subject.tokens(text)) for text in (question.clean, question.corrupted) if text]
    if len(set(sizes)) < 2:
        return ()
    clean, corrupted = sizes
    return (
        f"The clean prompt has {clean} tokens and the corrupted one {corrupted}: places are counted"
        " from their ends.",
    )


def _without_space(subject: Subject, question: Question) -> tuple[str, ...]:
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
