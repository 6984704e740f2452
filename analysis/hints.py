"""What may not have been meant: told beside an answer, which stands as it was asked."""

from collections.abc import Sequence

from analysis.drafting.checking import unreadable
from analysis.questions import Question
from analysis.subject import Subject
from analysis.token_sets import members


def hints(subject: Subject, question: Question, token: str | None = None) -> tuple[str, ...]:
    """What may not have been meant, a sentence each.

    Args:
        subject: the model.
        question: what is asked.
        token: one that is asked for in place of the question's words.
    """
    if token:
        return _spaceless(subject, (token,))
    found = (_without_space, _space_behind, _uneven, _unlike_words, _unreadable)
    return tuple(hint for each in found for hint in each(subject, question))


def _unreadable(subject: Subject, question: Question) -> tuple[str, ...]:
    """Pairs that are written out and cannot be asked: nothing is left out in silence."""
    found = unreadable(subject, question) if question.pairs else {}
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
    """A sentence for each word that lacks its leading space, where it takes no more tokens with it.

    In the middle of a text hardly any word begins without one: “dog” is then the end of another
    word, and has next to no probability. Behind a space or a line's end it is the word itself.
    """
    if question.clean[-1:].isspace():
        return ()
    return _spaceless(subject, (*members(question.target), *members(question.foil)))


def _spaceless(subject: Subject, words: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        f"{word!r} has no space before it, as the end of another word; the word itself is "
        f"{f' {word}'!r}."
        for word in dict.fromkeys(words)
        if word[:1].isalpha() and _is_word(subject, f" {word}", len(subject.pieces(word)))
    )


def _space_behind(_subject: Subject, question: Question) -> tuple[str, ...]:
    """Prompts that end in a space or a line, where words begin with a space."""
    words = (*members(question.target), *members(question.foil))
    prompts = {"clean": question.clean, "corrupted": question.corrupted}
    behind = [name for name, text in prompts.items() if text[-1:].isspace()]
    if not behind or not all(word[:1] == " " for word in words):
        return ()
    which = "Both prompts end" if len(behind) > 1 else f"The {behind[0]} prompt ends"
    if all(prompts[name][-1] != " " for name in behind):
        return (
            f"{which} in a line's end, and {words[0]!r} begins with a space: at the beginning of a"
            f" line a word has none, so ask for {words[0].lstrip()!r}.",
        )
    return (
        f"{which} in a space, and {words[0]!r} begins with one: the model hardly expects a second.",
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
