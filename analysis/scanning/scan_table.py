"""A scan as a table, one row for every neuron: moments, quantiles, extremes in their context."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
from torch import Tensor

from analysis.neuron import Neuron
from analysis.scanning.examples import Spans, context
from analysis.scanning.scan import Scan
from analysis.scanning.tallies import document_and_position
from analysis.subject import Subject

QUANTILES = (0.01, 0.1, 0.5, 0.9, 0.99)

QUADRANTS = ("gate + up +", "gate + up -", "gate - up +", "gate - up -")
"""Tokens by the signs of gate and up; empty where nothing is gated."""

COLUMNS = (
    "neuron",
    "count",
    "mean",
    "variance",
    *(f"quantile {quantile}" for quantile in QUANTILES),
    "highest",
    "highest context",
    "highest token",
    "highest next",
    "lowest",
    "lowest context",
    "lowest token",
    "lowest next",
    *QUADRANTS,
)


def rows(subject: Subject, scan: Scan, documents: Mapping[int, str]) -> Iterator[tuple[Any, ...]]:
    """One row per neuron, by layer and number; quantiles are those of the random sample."""
    quantiles = np.quantile(scan.sample.values.numpy(), QUANTILES, axis=0)
    variance, quadrants = scan.moments.variance, scan.quadrants.count

    @cache
    def spans(document: int) -> Spans:
        return subject.spans(documents[document])

    def extreme(values: Tensor, places: Tensor, sign: int) -> tuple[Any, ...]:
        document, position = document_and_position(int(places))
        around = context(subject, documents[document], spans(document), position)
        return sign * float(values), *around

    for column in range(subject.n_layers * subject.d_mlp):
        yield (
            str(Neuron(*divmod(column, subject.d_mlp))),
            int(scan.moments.count),
            float(scan.moments.mean[column]),
            float(variance[column]),
            *map(float, quantiles[:, column]),
            *extreme(scan.highest.values[0, column], scan.highest.places[0, column], 1),
            *extreme(scan.lowest.values[0, column], scan.lowest.places[0, column], -1),
            *(quadrants[:, column].tolist() if quadrants.numel() else [""] * len(QUADRANTS)),
        )
