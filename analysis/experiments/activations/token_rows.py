"""Texts as rows of tokens, tinted by what a neuron does on each."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from analysis.drawing import style
from analysis.experiments.activations.compute import Activations

DEEPEST = 0.55
"""Opacity of the strongest tint: text on it keeps a contrast of 4.5:1, light and dark."""

WORTH_SAYING = 0.05
"""A value is printed under its token from this share of the largest on."""


@dataclass(frozen=True)
class Piece:
    """One token: visible text, tint (CSS), printed value, title, and whether it was exchanged."""

    text: Markup
    style: str
    value: str
    title: str
    exchanged: bool


@dataclass(frozen=True)
class TokenRow:
    """One prompt: its name and its tokens."""

    name: str
    pieces: tuple[Piece, ...]


def token_rows(result: Activations, names: Sequence[str]) -> tuple[TokenRow, ...]:
    """The first texts of a result, as many as there are names, tinted on one common scale.

    Tokens that differ from the first text's are marked in texts that are as long as it.
    """
    places = [result.text(i) for i in range(len(names))]
    first = result.tokens[places[0]]
    largest = max(float(abs(result.activations[where]).max()) for where in places)
    marks = [_exchanged(first, result.tokens[where]) for where in places]
    marks[0] = next((mark for mark in marks[1:] if any(mark)), marks[0])
    return tuple(
        TokenRow(name, _pieces(result, where, mark, largest))
        for name, where, mark in zip(names, places, marks, strict=True)
    )


def plain_rows(texts: Mapping[str, Sequence[str]]) -> tuple[TokenRow, ...]:
    """Tokens of two texts by the texts' names, untinted, those that differ marked."""
    first, second = texts.values()
    marks = _exchanged(first, second)
    return tuple(
        TokenRow(name, tuple(_plain(*each) for each in zip(tokens, marks, strict=True)))
        for name, tokens in texts.items()
    )


def _plain(text: str, changed: bool) -> Piece:
    return Piece(Markup(style.visible(text)), "", "", "", changed)  # noqa: S704


def _exchanged(first: Sequence[str], second: Sequence[str]) -> list[bool]:
    """Marks the tokens of the second text that differ, if both are of one length."""
    if len(first) != len(second):
        return [False] * len(second)
    return [a != b for a, b in zip(first, second, strict=True)]


def tint(value: float, largest: float) -> str:
    """Background of a value: blue where positive, orange where negative, deeper where larger."""
    red, green, blue = _rgb(style.TARGET if value >= 0 else style.FOIL)
    depth = DEEPEST * min(1.0, abs(value) / largest) if largest > 0 else 0.0
    return f"background-color: rgba({red}, {green}, {blue}, {depth:.3f})"


def _pieces(
    result: Activations, where: slice, changed: Sequence[bool], largest: float
) -> tuple[Piece, ...]:
    target = html.unescape(style.visible(result.target))
    values, chances = result.activations[where].tolist(), result.p_target[where].tolist()
    columns = zip(result.tokens[where], values, chances, changed, strict=True)
    return tuple(
        Piece(
            text=Markup(style.visible(text)),  # noqa: S704
            style=tint(value, largest),
            value=style.plain(value, 1) if abs(value) >= WORTH_SAYING * largest else "",
            title=(
                f"{html.unescape(style.visible(text))}: activation {style.plain(value)}; "
                f"probability of {target} next {html.unescape(style.percent(chance))}"
            ),
            exchanged=exchanged,
        )
        for text, value, chance, exchanged in columns
    )


def _rgb(colour: str) -> tuple[int, int, int]:
    """The three parts of a colour such as #2478c4."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue
