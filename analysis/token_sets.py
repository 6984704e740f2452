"""Sets of tokens as one text, with bars between them. It knows no model: it loads at once."""

import re
from collections.abc import Sequence

BAR = "|"
"""Stands between the tokens of a set; where it is a token's own, ``\\|`` stands for it."""

LARGEST = 100
"""Tokens of a set."""

_BARS = re.compile(r"(\\*)\|")
"""A bar and the backslashes before it: of these two stand for one, and one makes it a token's."""


def members(words: str) -> tuple[str, ...]:
    r"""The tokens of a set as texts: ``" is| was"`` names two; ``\|`` is a bar of a word's own.

    A single token is a set of one. Backslashes before a bar are written double; elsewhere a
    backslash is but that.
    """
    parts, begun, end = [], "", 0
    for bar in _BARS.finditer(words):
        count = len(bar[1])
        begun += words[end : bar.start()] + "\\" * (count // 2)
        end = bar.end()
        if count % 2:
            begun += BAR
        else:
            parts.append(begun)
            begun = ""
    return (*parts, begun + words[end:])


def together(words: Sequence[str]) -> str:
    """The set as one text, from which ``members`` takes the words again."""
    *parted, last = (_BARS.sub(r"\1\1\\|", word) for word in words)
    return BAR.join([*(re.sub(r"(\\+)$", r"\1\1", word) for word in parted), last])


def mistake(target: str, foil: str) -> str:
    """What is wrong with two sets as texts, in a clause; empty where nothing is."""
    sets = {"target": members(target), "foil": members(foil)}
    for side, words in sets.items():
        if len(words) > 1 and not all(words):
            return (
                f"the {side} has an empty token beside a {BAR}: write a {BAR} that is its own "
                rf"as \{BAR}"
            )
        if len(words) > LARGEST:
            return f"the {side} has {len(words)} tokens, and at most {LARGEST} are one set"
        twice = next((word for word in words if words.count(word) > 1), None)
        if twice is not None:
            return f"the {side} has {twice[:40]!r} twice"
    both = [word for word in sets["target"] if word in sets["foil"]]
    if target and target == foil:
        return f"target and foil are both {target[:90]!r}: give two different tokens"
    return f"{both[0][:40]!r} is in target and foil: leave it out of one" if both and target else ""
