"""Sentences that light up marks of a figure: those that they name, as its data name them."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from analysis.wording import markup

NAMED = re.compile(r'L\d+[NH]\d+|(?:MLP|attention) \d+|(?<=<code class="tok">).*?(?=</code>)')
"""What a sentence calls a neuron, a head, a layer's half, or a token."""


def called(figure: go.Figure) -> tuple[str, ...]:
    """What the marks of a figure are called, in order.

    A point or a bar has the name that its data begin with, and that of its trace.
    """
    return tuple(dict.fromkeys(name for trace in figure.data for name in _names(trace)))


def lights(sentence: Markup, figure: Any, *names: str) -> Markup:
    """A sentence, as one that lights up marks of a figure when it is pointed at.

    Args:
        sentence: what it says.
        figure: the figure, of which nothing is lit where it is left out.
        names: what it speaks of; what it calls by name if none is given.

    Returns:
        The sentence alone where no mark is called so.
    """
    spoken = set(names) or {html.unescape(name) for name in NAMED.findall(sentence)}
    marks = [name for name in getattr(figure, "marks", ()) if html.unescape(name) in spoken]
    if not marks:
        return sentence
    return markup(
        '<span class="lights" data-figure="{}" data-marks="{}">{}</span>',
        figure.name,
        json.dumps(marks, ensure_ascii=False),
        sentence,
    )


def _names(trace: Any) -> Iterator[str]:
    """What one trace's points or bars are called; lines and maps have none."""
    if trace.type != "bar" and not (trace.type == "scatter" and "markers" in (trace.mode or "")):
        return
    if trace.name:
        yield trace.name
    for labels in (trace.text, trace.customdata):
        if labels is None or isinstance(labels, str):
            continue
        for label in labels:
            first = label[0] if isinstance(label, list | tuple) and label else label
            if isinstance(first, str) and first:
                yield first
