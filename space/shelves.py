"""The tabs of what is committed: filled when they are opened, with nothing to wait for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import plotly.graph_objects as go
from markupsafe import Markup

from analysis.errors import UserError
from analysis.experiments import EXPERIMENTS, named
from analysis.sentences import alone
from space import html, library
from space.own import library_question
from space.panel import plot
from space.question_bar import received
from space.story import said, story
from space.view import View

STORY = "story"
LIBRARY = "library"


@dataclass(frozen=True)
class Contents:
    """What stands on such a tab.

    Attributes:
        head: what comes first, as HTML.
        figures: in reading order, each with its finding, or with none.
        foot: what comes last, as HTML.
    """

    head: str
    figures: Sequence[tuple[Markup, go.Figure]] = ()
    foot: str = ""


class Shelf:
    """The components of such a tab.

    Args:
        tab: its name.
    """

    def __init__(self, tab: str) -> None:
        self.tab, (self._contents, most) = tab, SHELVES[tab]
        self._head = gr.HTML(html.WAITING)
        self._places = [(gr.HTML(visible=False), plot()) for _ in range(most)]
        self._foot = gr.HTML()

    @property
    def outputs(self) -> list[Any]:
        """The components, in the order of what ``show`` and ``keep`` return."""
        return [self._head, *(part for place in self._places for part in place), self._foot]

    def show(self, view: View) -> list[Any]:
        """Values of the components for the model and the words of a view."""
        found = self._contents(view)
        shown: list[Any] = [found.head]
        for caption, figure in found.figures:
            said = html.caption(caption) if caption else ""
            shown += [
                gr.update(value=said, visible=bool(said)),
                gr.update(value=figure, visible=True),
            ]
        spare = 2 * (len(self._places) - len(found.figures))
        return [*shown, *[gr.update(visible=False)] * spare, found.foot]

    def keep(self) -> list[Any]:
        """Values that leave everything as it is."""
        return [gr.skip()] * len(self.outputs)


def _story(view: View) -> Contents:
    """The key figures of the committed study of the words."""
    asked = library_question(view)
    study = story(view.model, asked.name) if asked else None
    if study is None:
        return Contents(html.intro(said(view.model).no_study))
    question = study.evidence.question
    words = {"target": question.target, "foil": question.foil}
    return Contents(html.intro(said(view.model, **words).figures), study.figures)


def _library(view: View) -> Contents:
    """The committed table of the words that have a neuron: who has one above it, the rest below."""
    table = library.committed(view.model)
    if table is None:
        return Contents(html.intro(said(view.model).no_table))
    claims = alone(table.experiment, table.result)
    head = html.intro(f"{table.experiment.asks} {claims.rule}") + html.caption(claims.who)
    rest = filter(None, (claims.needed, claims.news, claims.untold))
    figures = [(Markup(), figure) for figure in table.figures]
    foot = [*map(html.caption, rest), html.foot(table, embeds=False)]
    return Contents(head, figures, "".join(foot))


SHELVES: dict[str, tuple[Callable[[View], Contents], int]] = {
    LIBRARY: (_library, len(named("library").figures)),
    STORY: (_story, sum(figure.key for each in EXPERIMENTS for figure in each.figures)),
}
"""What fills each, and how many figures it can have."""


def opened(shelves: Sequence[Shelf], sent: Any) -> list[Any]:
    """What stands on the open tab, if it is one of these; the others are left as they are."""
    try:
        view = received(sent)
    except UserError:
        view = None
    return [
        value
        for shelf in shelves
        for value in (shelf.show(view) if view and shelf.tab == view.tab else shelf.keep())
    ]
