"""Examples of a scanned neuron in their context: its extremes, and a sample by quantile."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.neuron import Neuron
from analysis.scanning.scan import Scan
from analysis.scanning.tallies import Extremes, document_and_position
from analysis.subject import Subject

QUANTILES = (0.99, 0.9, 0.75, 0.5, 0.25, 0.1, 0.01)
PER_QUANTILE = 2
BEFORE_TOKENS = 16


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
    subject: Subject, scan: Scan, neuron: Neuron, documents: Mapping[int, str]
) -> list[Example]:
    """The extremes of one neuron and, for a fair picture, random tokens around its quantiles.

    Top examples alone mislead about what a neuron does (Bolukbasi et al., "An Interpretability
    Illusion for BERT", 2021).
    """
    column = neuron.layer * subject.d_mlp + neuron.number
    found = [*_extreme(scan.highest, column, "highest", 1), *_sampled(scan, column)]
    found += reversed(list(_extreme(scan.lowest, column, "lowest", -1)))
    tokens: dict[int, list[int]] = {}
    rows = []
    for kind, value, place in found:
        document, position = document_and_position(place)
        if document not in tokens:
            tokens[document] = subject.tokens(documents[document])[int(subject.prepend_bos) :]
        rows.append(Example(kind, value, document, *context(subject, tokens[document], position)))
    return rows


def _extreme(
    extremes: Extremes, column: int, kind: str, sign: int
) -> Iterator[tuple[str, float, int]]:
    for value, place in zip(extremes.values[:, column], extremes.places[:, column], strict=True):
        if place >= 0:
            yield kind, sign * float(value), int(place)


def _sampled(scan: Scan, column: int) -> Iterator[tuple[str, float, int]]:
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


def context(subject: Subject, tokens: list[int], position: int) -> tuple[str, str, str]:
    """The text before a token of a document, the token, and the one that follows it."""
    before = tokens[max(0, position - BEFORE_TOKENS) : position]
    after = tokens[position + 1 : position + 2]
    return (
        "".join(map(subject.string, before)),
        subject.string(tokens[position]),
        "".join(map(subject.string, after)),
    )
