"""From a Result to all that is shown and taken away of it: needs no model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from analysis import EMBEDDED, sentences
from analysis.answer import as_csv, as_json, plain
from analysis.commands import experiment_command
from analysis.declaration import Experiment, Figure
from analysis.questions import Question
from analysis.tables import Listing, Rows
from space.own import brings_its_own, question_of
from space.view import View


@dataclass(frozen=True)
class Answer:
    """All that is shown of one answer.

    Attributes:
        experiment: whose it is.
        result: what was found.
        finding: the same in a sentence.
        verdict: the same in a few words, for those that are asked for one; else empty.
        figures: in reading order, without those that have nothing to draw.
        listing: what its rows are; none where it has none.
        rows: of the table.
        json: the answer as the command line prints it.
        command: the command line that gives it; empty where there is none.
        hints: what may not have been meant, a sentence each.
        slider: what a visitor may slide through; empty where there is nothing of that kind.
    """

    experiment: Experiment
    result: Any
    finding: Markup
    verdict: Markup
    figures: tuple[go.Figure, ...]
    listing: Listing | None
    rows: Rows
    json: str
    command: str
    hints: tuple[str, ...] = ()
    slider: str = ""

    @property
    def csv(self) -> str:
        """The table as CSV."""
        return as_csv(self.rows) if self.rows else ""


def answer(experiment: Experiment, view: View, options: Mapping[str, Any], result: Any) -> Answer:
    """All that is shown of a Result.

    Args:
        experiment: whose it is.
        view: what was asked, with the neuron.
        options: every option of the experiment.
        result: what was found.
    """
    question = question_of(view, experiment)
    figures = [figure for figure in experiment.shows(question) if figure.live]
    command = _command(experiment, view, options, question)
    return shown(experiment, result, figures, command, **experiment.shown(options))


def shown(
    experiment: Experiment, result: Any, figures: Iterable[Figure], command: str, **options: Any
) -> Answer:
    """All that is shown of a Result, with some of its figures and options of its summary."""
    listing: Listing | None = experiment.part("tables", "LISTING")
    said = sentences.alone(experiment, result)
    return Answer(
        experiment=experiment,
        result=result,
        finding=sentences.finding(experiment, result),
        verdict=getattr(said, "verdict", Markup()),
        slider=getattr(said, "slider", ""),
        figures=tuple(drawn for f in figures if (drawn := experiment.draw(f, result)).data),
        listing=listing,
        rows=plain(list(listing.rows(result))) if listing else [],
        json=as_json(experiment.summary(result, **options)),
        command=command,
    )


def _command(
    experiment: Experiment, view: View, options: Mapping[str, Any], question: Question
) -> str:
    """The command line that gives it; none where that needs a file of pairs or words."""
    if brings_its_own(view) and {"words", "held_out"} & {*experiment.needs}:
        return ""
    model = None if view.model == EMBEDDED else view.model
    return experiment_command(experiment, question, view.neurons, options, model=model)
