"""The page's figures: drawn from results, each with its finding, its command and safe data."""

import json
from dataclasses import dataclass

import plotly.graph_objects as go
from markupsafe import Markup

from analysis.claims import Claims
from analysis.claims.captions import captions
from analysis.claims.making import figure_command
from analysis.evidence import Evidence
from analysis.figures import FIGURES
from analysis.figures.style import THEMES
from report.links import LOCAL, app_link

UNSAFE = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class Panel:
    """One figure as the page shows it.

    Attributes:
        name: its name among the figures, and its id on the page.
        step: the result that it shows.
        number: its place in reading order, from 1.
        caption: the finding it shows.
        label: the same without markup, for readers who do not see it.
        command: the command line that computes it.
        app: where the app asks the same.
        height: pixels.
        data: traces and layout as JSON that is safe inside a script element.
    """

    name: str
    step: str
    number: int
    caption: Markup
    label: str
    command: str
    app: str
    height: int
    data: Markup


def panels(evidence: Evidence, claims: Claims, app: str = LOCAL) -> dict[str, Panel]:
    """Draw every figure, by name, in reading order; each knows where ``app`` asks the same."""
    said = captions(claims)
    assert list(said) == list(FIGURES)
    return {
        name: _panel(evidence, name, number, said[name], app)
        for number, name in enumerate(FIGURES, 1)
    }


def themes() -> Markup:
    """What changes in a figure between a light and a dark page, as safe JSON."""
    return safe_json(json.dumps(THEMES))


def safe_json(text: str) -> Markup:
    """JSON that can stand inside a script element: nothing in it can end that element."""
    for character, code in UNSAFE.items():
        text = text.replace(character, code)
    return Markup(text)  # noqa: S704


def _panel(evidence: Evidence, name: str, number: int, caption: Markup, app: str) -> Panel:
    drawing = FIGURES[name]
    figure: go.Figure = drawing.draw(getattr(evidence, drawing.step))
    return Panel(
        name=name,
        step=drawing.step,
        number=number,
        caption=caption,
        label=f"Figure {number}. {caption.striptags()}",
        command=figure_command(evidence, name),
        app=app_link(evidence, name, app),
        height=int(figure.layout.height),
        data=safe_json(figure.to_json()),
    )
