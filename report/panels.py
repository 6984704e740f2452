"""The page's figures: drawn from results, each with its finding, its command and safe data."""

import json
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from analysis.claims import Claims, figures
from analysis.claims.making import command
from analysis.declaration import Experiment
from analysis.drawing.style import THEMES
from analysis.evidence import Evidence
from analysis.needs import Need, has
from analysis.study_facts import StudyFacts
from report.links import LOCAL, app_link
from report.marks import called

UNSAFE = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class PageFigure:
    """One figure as the page shows it.

    Attributes:
        name: its name among the figures, and its id on the page.
        experiment: the one whose result it shows.
        number: its place in reading order, from 1.
        caption: the finding it shows.
        label: the same without markup, for readers who do not see it.
        command: the command line that computes it.
        drawn: whether there is anything to draw; else the caption says why not.
        height: pixels.
        data: traces and layout as JSON that is safe inside a script element.
        app: where the app asks the same; empty where it does not have the experiment.
        marks: what its marks are called.
    """

    name: str
    experiment: Experiment
    number: int
    caption: Markup
    label: str
    command: str
    drawn: bool
    height: int
    data: Markup
    app: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Absent:
    """A figure that is left out, and what the question lacks for it."""

    name: str
    lacks: Need


def absent(evidence: Evidence) -> dict[str, Absent]:
    """The figures of a study's experiments for which its question lacks something, by name."""
    left_out = [
        (figure.name, [need for need in figure.needs if not has(evidence.question, [need])])
        for experiment in evidence.experiments
        for figure in experiment.figures
    ]
    return {name: Absent(name, needs[0]) for name, needs in left_out if needs}


def panels(evidence: Evidence, claims: Claims, app: str = LOCAL) -> dict[str, PageFigure]:
    """Draw every figure, by name, in reading order; each knows where ``app`` asks the same."""
    drawn = {}
    for number, (experiment, figure) in enumerate(figures(evidence), 1):
        plot = experiment.draw(figure, evidence.results[experiment.name], claims.study.sign)
        drawn[figure.name] = page_figure(
            plot,
            name=figure.name,
            experiment=experiment,
            number=number,
            caption=claims.caption(experiment, figure),
            command=command(evidence, experiment),
            app=app_link(evidence, experiment, app) if experiment.app is not None else "",
            marks=called(plot),
        )
    return drawn


def plots(evidence: Evidence) -> dict[str, go.Figure]:
    """Every figure of a study as it is drawn, by name, in reading order."""
    sign = StudyFacts(evidence).sign
    return {
        figure.name: experiment.draw(figure, evidence.results[experiment.name], sign)
        for experiment, figure in figures(evidence)
    }


def themes() -> Markup:
    """What changes in a figure between a light and a dark page, as safe JSON."""
    return safe_json(json.dumps(THEMES))


def safe_json(text: str) -> Markup:
    """JSON that can stand inside a script element: nothing in it can end that element."""
    for character, code in UNSAFE.items():
        text = text.replace(character, code)
    return Markup(text)  # noqa: S704


def page_figure(plot: go.Figure, number: int, caption: Markup, **more: Any) -> PageFigure:
    """What a page needs of a drawing, beside what is known of it without looking."""
    return PageFigure(
        number=number,
        caption=caption,
        label=f"Figure {number}. {caption.striptags()}",
        drawn=bool(plot.data),
        height=int(plot.layout.height),
        data=safe_json(plot.to_json()),
        **more,
    )
