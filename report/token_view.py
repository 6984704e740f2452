"""A prompt as a row of tokens, tinted by what a neuron does on each."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from analysis.experiments.activations import Activations
from analysis.figures.style import FOIL, TARGET, visible
from report.claims.wording import number, percent, plain
from report.evidence import Evidence

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


def token_rows(evidence: Evidence) -> tuple[TokenRow, ...]:
    """The clean and the corrupted prompt, tinted on one common scale."""
    result = evidence.activations
    places = (result.text(0), result.text(1))
    clean, corrupted = (result.tokens[where] for where in places)
    changed = [a != b for a, b in zip(clean, corrupted, strict=True)]
    largest = max(float(abs(result.activations[where]).max()) for where in places)
    names = ("Clean prompt", "Corrupted prompt")
    return tuple(
        TokenRow(name, _pieces(result, where, changed, largest))
        for name, where in zip(names, places, strict=True)
    )


def tint(value: float, largest: float) -> str:
    """Background of a value: blue where positive, orange where negative, deeper where larger."""
    red, green, blue = _rgb(TARGET if value >= 0 else FOIL)
    depth = DEEPEST * min(1.0, abs(value) / largest) if largest > 0 else 0.0
    return f"background-color: rgba({red}, {green}, {blue}, {depth:.3f})"


def _pieces(
    result: Activations, where: slice, changed: Sequence[bool], largest: float
) -> tuple[Piece, ...]:
    values, chances = result.activations[where].tolist(), result.p_target[where].tolist()
    columns = zip(result.tokens[where], values, chances, changed, strict=True)
    return tuple(
        Piece(
            text=Markup(visible(text)),  # noqa: S704
            style=tint(value, largest),
            value=number(value, 1) if abs(value) >= WORTH_SAYING * largest else "",
            title=(
                f"{plain(text)}: activation {number(value)}; "
                f"probability of {plain(result.target)} next {percent(chance)}"
            ),
            exchanged=exchanged,
        )
        for text, value, chance, exchanged in columns
    )


def _rgb(colour: str) -> tuple[int, int, int]:
    """The three parts of a colour such as #2478c4."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue
