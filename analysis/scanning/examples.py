"""Examples of a scanned neuron in their context: its extremes, and a sample by quantile."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np

from analysis.engines.in_float32 import in_float32
from analysis.engines.reading import Window, read
from analysis.neuron import Neuron
from analysis.scanning.extremes import Extremes
from analysis.scanning.scan import Scan
from analysis.scanning.tallies import document_and_position, place_of
from analysis.subject import Subject

QUANTILES = (0.99, 0.9, 0.75, 0.5, 0.25, 0.1, 0.01)
PER_QUANTILE = 2
BEFORE_TOKENS = 16

Found = tuple[str, float, int]
"""Kind of an example, the activation, and its place."""

Spans = tuple[list[int], list[tuple[int, int]]]
"""Tokens of a document, and where in it each begins and ends."""


@dataclass(frozen=True)
class Example:
    """One token of a document on which a neuron was read.

    Attributes:
        kind: ``highest``, ``lowest``, or the quantile of the activation such as ``0.9``.
        value: the activation.
        document: number of the document.
        before: text before the token, as far as it is shown.
        token: the token.
        after: the token that follows, empty at the document's end.
    """

    kind: str
    value: float
    document: int
    before: str
    token: str
    after: str


def examples(
    subject: Subject,
    scan: Scan,
    neuron: Neuron,
    documents: Mapping[int, str],
    windows: Sequence[Window],
) -> list[Example]:
    """The extremes of one neuron and, for a fair picture, random tokens around its quantiles.

    Top examples alone mislead about what a neuron does (Bolukbasi et al., "An Interpretability
    Illusion for BERT", 2021). What was found in another type than float32 is read again in that.
    """
    column = neuron.layer * subject.d_mlp + neuron.number
    found = [*_extreme(scan.highest, column, "highest", 1), *_sampled(scan, column)]
    found += reversed(list(_extreme(scan.lowest, column, "lowest", -1)))
    if subject.arithmetic.name != "float32":
        found = read_again(subject, neuron, found, windows)
    spans: dict[int, Spans] = {}
    rows = []
    for kind, value, place in found:
        document, position = document_and_position(place)
        text = documents[document]
        if document not in spans:
            spans[document] = subject.spans(text)
        around = context(subject, text, spans[document], position)
        rows.append(Example(kind, value, document, *around))
    return rows


def read_again(
    subject: Subject, neuron: Neuron, found: Sequence[Found], windows: Sequence[Window]
) -> list[Found]:
    """The same tokens with what the neuron says there in float32; extremes are ranked anew.

    Args:
        subject: the model.
        neuron: whose examples.
        found: kind, activation and place of each.
        windows: those that the scan has read, every place in one of them.
    """
    windows = sorted(windows, key=lambda each: (each.document, each.start))
    first = [place_of(each.document, each.start) for each in windows]
    places = sorted({place for _, _, place in found})
    lead, values = int(subject.prepend_bos), dict[int, float]()
    with in_float32(subject):
        for number, same in groupby(places, lambda place: bisect_right(first, place) - 1):
            own = read(subject, (windows[number],), (neuron.layer,), logits=False)
            for place in same:
                row = lead + place - first[number]
                values[place] = float(own.activations[neuron.layer][row, neuron.number])
    again = [(kind, values[place], place) for kind, _, place in found]
    return [
        each
        for _, same in groupby(again, key=itemgetter(0))
        for each in sorted(same, key=itemgetter(1), reverse=True)
    ]


def _extreme(extremes: Extremes, column: int, kind: str, sign: int) -> Iterator[Found]:
    for value, place in zip(extremes.values[:, column], extremes.places[:, column], strict=True):
        if place >= 0:
            yield kind, sign * float(value), int(place)


def _sampled(scan: Scan, column: int) -> Iterator[Found]:
    """Tokens of the random sample whose activations are nearest to each quantile in rank."""
    values = scan.sample.values[:, column].numpy()
    order = np.argsort(-values, kind="stable")
    taken: set[int] = set()
    for quantile in QUANTILES:
        rank = (1 - quantile) * (len(values) - 1)
        near = sorted(range(len(values)), key=lambda i, rank=rank: abs(i - rank))  # type: ignore[misc]
        fresh = [i for i in near if i not in taken][:PER_QUANTILE]
        taken.update(fresh)
        for i in sorted(fresh):
            yield str(quantile), float(values[order[i]]), int(scan.sample.places[order[i]])


def context(subject: Subject, text: str, spans: Spans, position: int) -> tuple[str, str, str]:
    """The text before a token of a document, the token, and the one that follows it.

    Args:
        subject: the model.
        text: the document, out of which the text before is cut.
        spans: its tokens and where each stands.
        position: of the token.
    """
    tokens, places = spans
    first = position - BEFORE_TOKENS
    start = places[first - 1][1] if first > 0 else 0
    end = places[position - 1][1] if position > 0 else 0
    return (
        text[start : min(end, places[position][0])],
        subject.string(tokens[position]),
        subject.text(tokens[position + 1 : position + 2]),
    )
