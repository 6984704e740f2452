"""From a question to all that is shown and taken away of its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from inspect import Parameter, signature
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from analysis import EMBEDDED
from analysis.answer import as_csv, as_json, command_line, plain
from analysis.experiments.intervention import FACTOR
from analysis.figures import FIGURES
from analysis.finding import Found
from analysis.question import CLEAN, CORRUPTED, FOIL, TARGET
from space.asking import rival
from space.findings import SAYS
from space.questions import QUESTIONS
from space.tables import ROWS, Rows
from space.view import View

USUAL = {
    "model": EMBEDDED,
    "clean": CLEAN,
    "corrupted": CORRUPTED,
    "target": TARGET,
    "foil": FOIL,
    "text": CLEAN,
    "seed": 0,
    "factor": FACTOR,
}
"""What the command line asks when an option is left out."""


@dataclass(frozen=True)
class Answer:
    """All that is shown of one answer.

    Attributes:
        name: of the question.
        result: what the experiment found.
        finding: what was found, in a sentence.
        figures: in reading order.
        rows: of the table, empty where there is none.
        json: the answer as the command line prints it.
        command: the command line that gives it; empty where there is none.
    """

    name: str
    result: Any
    finding: Markup
    figures: tuple[go.Figure, ...]
    rows: Rows
    json: str
    command: str

    @property
    def csv(self) -> str:
        """The table as CSV."""
        return as_csv(self.rows) if self.rows else ""


def answer(name: str, view: View, options: Mapping[str, Any], result: Any) -> Answer:
    """Show a Result: needs no model."""
    question = QUESTIONS[name]
    view, options = _as_typed(name, view, {**_usual(name), **options}, result)
    drawn = result.sweep if isinstance(result, Found) else result
    return Answer(
        name=name,
        result=result,
        finding=SAYS[name](result),
        figures=tuple(FIGURES[figure].draw(drawn) for figure in question.figures),
        rows=plain(ROWS[name](result)) if name in ROWS else [],
        json=as_json(question.summary(result)),
        command=command(name, view, options),
    )


def _as_typed(
    name: str, view: View, options: Mapping[str, Any], result: Any
) -> tuple[View, Mapping[str, Any]]:
    """The question as the command line would put it, where the page puts it otherwise."""
    if name == "following":
        return replace(view, clean=result.prompts[0]), {}
    if name == "writers" and not result.foil:
        foil = rival(view, result.target)
        return replace(view, target=result.target, foil=foil), {"alone": True}
    return view, {k: v for k, v in options.items() if k not in QUESTIONS[name].unseen}


def _usual(name: str) -> dict[str, Any]:
    """Options that the question takes where they are left out: the command's own may differ."""
    parameters = signature(QUESTIONS[name].ask).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not Parameter.empty}


def command(name: str, view: View, options: Mapping[str, Any]) -> str:
    """The command line that gives the same answer; what is usual is left out.

    It is empty where there is none: for tokens that no text is read as.
    """
    question = QUESTIONS[name]
    if name == "following" and not view.clean:
        return ""
    asked = {part: getattr(view, part) for part in ("model", *question.shares)}
    if "text" in asked:
        asked["text"] = asked["text"] or view.clean
    given = {part: value for part, value in asked.items() if value != USUAL.get(part)}
    if "corrupted" in asked and ("clean" in given or "corrupted" in given):
        given |= {part: asked[part] or None for part in ("clean", "corrupted")}
    own = {question.renamed.get(k, k): v for k, v in options.items() if v != USUAL.get(k)}
    own = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in own.items()}
    return command_line(question.verb, **given, **own, **dict(question.fixed))
