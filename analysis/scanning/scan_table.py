"""A scan as a table on disk, one row for every neuron: moments, quantiles, extremes in context.

As Parquet it has a group of rows for each layer, so that one neuron is read without the others.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from analysis.errors import UserError, first_line
from analysis.neuron import Neuron
from analysis.results import atomic
from analysis.scanning.examples import context
from analysis.scanning.extremes import Extremes
from analysis.scanning.scan import Scan
from analysis.scanning.scanned import KEY
from analysis.scanning.tallies import document_and_position, place_of
from analysis.subject import Subject

if TYPE_CHECKING:
    import pyarrow

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}

QUADRANTS = ("gate_pos_up_pos", "gate_pos_up_neg", "gate_neg_up_pos", "gate_neg_up_neg")
"""Tokens by the signs of gate and up; empty where nothing is gated."""

EXTREME = ("value", "document", "position", "before", "token", "after")

OTHERS = "The texts are not those any more that were scanned: scan them again."

Row = dict[str, Any]
Contexts = Mapping[int, tuple[str, str, str]]


def schema() -> "pyarrow.Schema":
    """The columns of the Parquet file and their types."""
    import pyarrow as pa

    kinds = (pa.float32(), pa.int64(), pa.int32(), pa.string(), pa.string(), pa.string())
    extreme = pa.struct(dict(zip(EXTREME, kinds, strict=True)))
    return pa.schema(
        {
            "neuron": pa.string(),
            "layer": pa.int32(),
            "number": pa.int32(),
            "tokens": pa.int64(),
            "mean": pa.float64(),
            "variance": pa.float64(),
            **dict.fromkeys(QUANTILES, pa.float32()),
            "highest": pa.list_(extreme),
            "lowest": pa.list_(extreme),
            **dict.fromkeys(QUADRANTS, pa.int64()),
        }
    )


def write_table(
    path: Path,
    subject: Subject,
    scan: Scan,
    documents: Iterable[tuple[int, str]],
    key: Mapping[str, Any],
) -> None:
    """Write every neuron, whole or not at all: as CSV where the name ends so, else as Parquet.

    Args:
        path: of the file.
        subject: the model.
        scan: of it.
        documents: the texts again, in any order; none is held longer than it is looked at.
        key: what the scan is of.

    Raises:
        UserError: it cannot be written.
    """
    layers = rows(subject, scan, contexts(subject, scan, documents))
    try:
        with atomic(path) as scratch:
            (_write_csv if path.suffix.lower() == ".csv" else _write_parquet)(scratch, layers, key)
    except OSError as error:
        reason = error.strerror or first_line(error)
        raise UserError(f"{path} cannot be written ({reason}).") from error


def _write_parquet(path: Path, layers: Iterable[list[Row]], key: Mapping[str, Any]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns = schema().with_metadata({KEY: json.dumps(key, ensure_ascii=False)})
    with path.open("wb") as own, parquet.ParquetWriter(own, columns, compression="zstd") as file:
        for layer in layers:
            file.write_table(pa.Table.from_pylist(layer, columns))


def _write_csv(path: Path, layers: Iterable[list[Row]], _key: Mapping[str, Any]) -> None:
    """The same without all but the first extreme at either end."""
    flat = (dict(_flat(row)) for layer in layers for row in layer)
    with path.open("w", encoding="utf-8", newline="") as file:
        first = next(flat)
        writer = csv.DictWriter(file, first)
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(flat)


def _flat(row: Row) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, list):
            yield from ((f"{name}_{part}", each) for part, each in value[0].items())
        else:
            yield name, value


def contexts(subject: Subject, scan: Scan, documents: Iterable[tuple[int, str]]) -> Contexts:
    """The text around every extreme of a scan, by its place: before it, its token, the next.

    Args:
        subject: the model.
        scan: of it.
        documents: (number, text), read once.

    Raises:
        UserError: one of them is missing.
    """
    both = [extremes.places.numpy().ravel() for extremes in (scan.highest, scan.lowest)]
    places = np.unique(np.concatenate(both))
    places = places[places >= 0]
    found: dict[int, tuple[str, str, str]] = {}
    for number, text in documents:
        own = _between(places, place_of(number, 0), place_of(number + 1, 0))
        spans = subject.spans(text) if len(own) else ([], [])
        for place in own.tolist():
            position = document_and_position(place)[1]
            if position < len(spans[0]):
                found[place] = context(subject, text, spans, position)
    if len(found) < len(places):
        raise UserError(OTHERS)
    return found


def _between(
    places: Int[np.ndarray, " place"], first: int, behind: int
) -> Int[np.ndarray, " some"]:
    """Those of sorted places that lie in one document."""
    return places[slice(*np.searchsorted(places, (first, behind)))]


def rows(subject: Subject, scan: Scan, around: Contexts) -> Iterator[list[Row]]:
    """One row per neuron, a list for each layer; quantiles are those of the random sample."""
    values = scan.sample.values.numpy()
    variance, gated = scan.moments.variance, scan.quadrants.count.numel() > 0
    for layer in range(subject.n_layers):
        at = slice(layer * subject.d_mlp, (layer + 1) * subject.d_mlp)
        columns: dict[str, Any] = {
            "mean": scan.moments.mean[at].tolist(),
            "variance": variance[at].tolist(),
            **_quantiles(values[:, at]),
            "highest": _extremes(scan.highest.part(at), 1, around),
            "lowest": _extremes(scan.lowest.part(at), -1, around),
        }
        counts = scan.quadrants.count[:, at].tolist() if gated else [[None] * subject.d_mlp] * 4
        columns |= dict(zip(QUADRANTS, counts, strict=True))
        yield [
            {
                "neuron": str(Neuron(layer, number)),
                "layer": layer,
                "number": number,
                "tokens": int(scan.moments.count),
                **dict(zip(columns, own, strict=True)),
            }
            for number, own in enumerate(zip(*columns.values(), strict=True))
        ]


def _quantiles(values: Float[np.ndarray, "sample d_mlp"]) -> dict[str, list[float]]:
    found = np.quantile(values, [*QUANTILES.values()], axis=0).tolist()
    return dict(zip(QUANTILES, found, strict=True))


def _extremes(extremes: Extremes, sign: int, around: Contexts) -> list[list[Row]]:
    """Of every neuron its extremes, the outermost first, as far as they were filled."""

    def row(value: float, place: int) -> Row:
        cells = (sign * value, *document_and_position(place), *around[place])
        return dict(zip(EXTREME, cells, strict=True))

    both = zip(extremes.values.T.tolist(), extremes.places.T.tolist(), strict=True)
    return [
        [row(value, place) for value, place in zip(*own, strict=True) if place >= 0] for own in both
    ]
