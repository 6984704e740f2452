"""What may not have been meant: told beside an answer, which stands as it was asked."""

from analysis.questions import Question
from analysis.subject import Subject
from analysis.token_sets import members


def hints(subject: Subject, question: Question) -> tuple[str, ...]:
    """What may not have been meant, a sentence each."""
    found = (_without_space, _uneven, _unlike_words)
    return tuple(hint for each in found for hint in each(subject, question))


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
    """A sentence for each word that lacks its leading space, where it takes no more tokens with it.

    In the middle of a text hardly any word begins without one: “dog” is then the end of another
    word, and has next to no probability.
    """
    return tuple(
        f"{word!r} has no space before it, as the end of another word; the word itself is "
        f"{f' {word}'!r}."
        for word in dict.fromkeys((*members(question.target), *members(question.foil)))
        if word[:1].isalpha() and _is_word(subject, f" {word}", len(subject.pieces(word)))
    )


def _is_word(subject: Subject, word: str, most: int) -> bool:
    """Whether at most so many tokens make just this text."""
    pieces = subject.pieces(word)
    return len(pieces) <= most and subject.text(pieces) == word


def _unlike_words(subject: Subject, question: Question) -> tuple[str, ...]:
    """Words of several tokens, of which the longer one is the less likely for that alone."""
    words = sorted((question.target, question.foil), key=lambda word: len(subject.pieces(word)))
    shorter, longer = (len(subject.pieces(word)) for word in words)
    if shorter == longer or any(len(members(word)) > 1 for word in words):
        return ()
    return (
        f"{words[1]!r} is {longer} tokens long and {words[0]!r} {shorter}: logarithms of "
        "probabilities add up token by token, which by itself speaks against the longer one.",
    )
