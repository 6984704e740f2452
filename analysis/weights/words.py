"""Words: tokens that differ only in case and surrounding space count as one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from analysis.subject import Subject

UNREADABLE = "\ufffd"
"""Stands in the text of a token that holds only part of a character's bytes."""


def words(subject: Subject) -> Int[np.ndarray, " token"]:
    """The word that each token of the vocabulary spells, as numbers from zero.

    Tokens without letters of their own (white space, parts of characters, nothing at all) are each
    a word by themselves.
    """
    numbers: dict[str, int] = {}
    spelled = []
    for token in range(subject.d_vocab):
        text = subject.string(token)
        bare = text.strip().lower()
        own = not bare or UNREADABLE in text
        spelled.append(numbers.setdefault(f" {token}" if own else bare, len(numbers)))
    return np.array(spelled)


def spellings(subject: Subject, tokens: Sequence[str]) -> set[int]:
    """Tokens whose text is one of these but for case and surrounding space, found by spelling."""
    found: set[int] = set()
    for text in tokens:
        word = text.strip()
        forms = {word, word.lower(), word.upper(), word.capitalize()}
        pieces = [subject.pieces(space + form) for space in ("", " ") for form in forms if word]
        found |= {ids[0] for ids in pieces if len(ids) == 1}
        found |= set() if word else set(subject.pieces(text)[-1:])
    return found


@dataclass(frozen=True)
class Leaders:
    """The best unit for each word, by its best spelling, and the best value of any other unit.

    Attributes:
        value: of the best unit on the spelling that suits it best.
        unit: which it is.
        token: that spelling.
        second: value of the next unit, on the spelling that suits that one best.
    """

    value: Float[np.ndarray, " word"]
    unit: Int[np.ndarray, " word"]
    token: Int[np.ndarray, " word"]
    second: Float[np.ndarray, " word"]


def leaders(
    word: Int[np.ndarray, " token"],
    best: Float[np.ndarray, "token 2"],
    units: Int[np.ndarray, "token 2"],
) -> Leaders:
    """Merge the two best units of each token into the two best of each word.

    Nothing is lost: but for the word's best unit, no unit can stand above its second-best one on
    any spelling, so both are among the two best of some token.
    """
    token = np.repeat(np.arange(len(word)), 2)
    group, value, unit = word[token], best.reshape(-1), units.reshape(-1)
    order = np.lexsort((-value, group))
    group, value, unit, token = group[order], value[order], unit[order], token[order]
    _, first = np.unique(group, return_index=True)
    others = np.flatnonzero(unit != unit[first][group])
    second = np.full(len(first), -np.inf, dtype=value.dtype)
    found, where = np.unique(group[others], return_index=True)
    second[found] = value[others[where]]
    return Leaders(value[first], unit[first], token[first], second)
