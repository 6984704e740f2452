"""The pieces of HTML that the tabs show. Everything that comes from anyone is escaped here."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from html import unescape
from typing import Any

from jinja2 import PackageLoader
from markupsafe import Markup

from analysis import wording
from analysis.answer import TOKENS
from analysis.drawing.style import THEMES, escaped
from analysis.errors import UnsuitedError, UserError
from analysis.experiments.activations.compute import Activations
from analysis.experiments.activations.token_rows import token_rows
from analysis.sentences import environment
from analysis.wording import markup, plain
from analysis.wording import number as plain_number
from space.answers import Answer
from space.first import First, in_text
from space.settings import TEXT_CHARACTERS, WORD_CHARACTERS
from space.view import View

ROWS, NEWS = ("The text", "The corrupted prompt"), "A random piece of news"
"""What the rows of tokens are."""

SMALL = 5e-4

NEURON = re.compile(r"L\d{1,4}N\d{1,7}\u2212?", re.ASCII)

PART = re.compile(r"L\d{1,4}H\d{1,4}|MLP \d{1,4}", re.ASCII)
"""A head or an MLP, as results name it."""

_templates = environment(PackageLoader("space", "templates"))
_templates.filters["in_text"] = in_text


def finding(answer: Answer, question: Mapping[str, str]) -> str:
    """What was found, as a sentence, and the question that it answers."""
    verdict = markup('<p class="verdict">{}</p>', answer.verdict) if answer.verdict else ""
    text = markup('{}<p role="status">{}</p>', verdict, answer.finding)
    for hint in answer.hints:
        text += markup('<p class="hint">{}</p>', hint)
    text += answer.slider
    return _answering(text, question)


def error(what: UserError, question: Mapping[str, str]) -> str:
    """What was wrong and what would be right, and the question that it answers."""
    kind = "error unsuited" if isinstance(what, UnsuitedError) else "error"
    text = markup('<p class="{}" role="alert">{}</p>', kind, shown(str(what)))
    return _answering(text, question)


def _answering(text: str, question: Mapping[str, str]) -> str:
    """The page shows no answer to another question than the one above it."""
    return markup('<div data-question="{}">{}</div>', json.dumps(question), text)


def tokens(result: Activations) -> str:
    """Texts as tinted tokens: values on hover and focus, arrow keys go from token to token."""
    names = [*ROWS[: len(result.texts)], *[NEWS] * result.random_texts]
    rows = token_rows(result, names)
    shown = slice(0, result.text(len(names) - 1).stop)
    largest = float(abs(result.activations[shown]).max())
    return _templates.get_template("tokens.html").render(
        rows=rows, neuron=result.neuron, largest=largest
    )


def of_neuron(place: str, question: Mapping[str, str], known: Mapping[str, Any]) -> str:
    """What is known of a neuron without its model: a template, and what it tells."""
    text = _templates.get_template(f"{place}.html").render(known, number=_number, shown=shown)
    return _answering(Markup(text), question)  # noqa: S704  (a template escaped it)


def foot(answer: Answer, embeds: bool = True) -> str:
    """The table, the command line, and what can be taken away; another page embeds only answers."""
    columns = list(dict.fromkeys(key for row in answer.rows for key in row))
    return _templates.get_template("answer.html").render(
        name=answer.experiment.name,
        listing=answer.listing,
        rows=answer.rows,
        columns=columns,
        command=answer.command,
        json=answer.json,
        csv=answer.csv,
        figures=len(answer.figures),
        embeds=embeds,
        is_neuron=NEURON.fullmatch,
        node=_node,
        number=_number,
        shown=shown,
    )


def _node(name: str, position: int | None) -> str:
    """What the page calls a head or an MLP; empty for what opens nothing."""
    if not PART.fullmatch(name) or ("H" not in name and position is None):
        return ""
    return name if "H" in name else f"{name.replace(' ', '')}.{position}"


def _number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return wording.power(value) if 0 < abs(value) < SMALL else plain_number(value, 3)


def shown(value: Any, column: str = "") -> str:
    """A value as text whose control characters are seen, and in tokens the spaces too."""
    if value is None:
        return ""
    return plain(str(value)) if column in TOKENS else unescape(escaped(str(value)))


def intro(text: str) -> str:
    """What a tab is about."""
    return markup('<p class="intro">{}</p>', text)


def hint(button: str) -> str:
    """What stands in the place of an answer that has to be wished for."""
    return markup('<p class="waiting">“{}” asks the model.</p>', button)


WAITING = markup('<p class="waiting">What is committed comes in a moment.</p>')
"""What stands in the place of an answer that is drawn when its tab is opened for the first time."""


def caption(text: Markup) -> str:
    """The finding above a figure."""
    return markup('<p class="caption">{}</p>', text)


def heading(text: str) -> str:
    """The heading of a part of a tab."""
    return markup("<h2>{}</h2>", text)


def head(start: View, space_id: str, rows: Mapping[str, str]) -> str:
    """What is asked now, and the link that restores the view.

    Args:
        start: the view of a visitor who follows no link.
        space_id: of the Space, empty elsewhere.
        rows: the group of each tab, empty where it stands alone.
    """
    return _templates.get_template("head.html").render(
        start=json.dumps(asdict(start)),
        space_id=space_id,
        themes=json.dumps(THEMES),
        rows=json.dumps(rows),
    )


def first_screen(shown: First) -> str:
    """What stands in the page before anything is asked."""
    return _templates.get_template("first.html").render(
        first=shown,
        screen=shown.screen,
        mine=shown.offers[0],
        data=shown.data,
        longest=WORD_CHARACTERS,
        text=TEXT_CHARACTERS,
    )


def first_head(shown: First, home: str, card: bool) -> str:
    """The page's style, and what other pages show of a link to it.

    Args:
        shown: the first screen.
        home: where the page is.
        card: whether there is a picture of it.
    """
    return _templates.get_template("first_head.html").render(
        description=shown.lede.striptags(), home=home, card=card
    )
