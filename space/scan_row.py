"""One neuron of the owner's scan, off its table on disk, ready to be shown."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.scanning.scanned import read_neuron

SIGNS = {"gate_pos": "+", "gate_neg": "\u2212", "up_pos": "+", "up_neg": "\u2212"}


@dataclass(frozen=True)
class Scanned:
    """One neuron of a scan, ready to be shown.

    Attributes:
        neuron: its name.
        model: that was scanned.
        tokens: that were counted.
        moments: mean, deviation and quantiles of its activation, by their names.
        quadrants: tokens by the signs of gate and up; none where nothing is gated.
        extremes: the highest activations, the outermost first, then the lowest, the outermost last.
    """

    neuron: str
    model: str
    tokens: int
    moments: dict[str, float]
    quadrants: tuple[tuple[str, str, int], ...]
    extremes: tuple[dict[str, Any], ...]


def scanned(table: Path, name: str) -> Scanned:
    """A neuron of a table.

    Raises:
        UserError: the table is gone or damaged, or has no such neuron.
    """
    row, key = read_neuron(table, name)
    quantiles = {f"quantile 0.{name[1:]}": row[name] for name in row if name[1:].isdigit()}
    counts = {name: row[name] for name in row if name.startswith("gate_")}
    return Scanned(
        neuron=row["neuron"],
        model=key["model"],
        tokens=row["tokens"],
        moments={"mean": row["mean"], "deviation": math.sqrt(row["variance"]), **quantiles},
        quadrants=tuple(
            (SIGNS[name[:8]], SIGNS[name[9:]], count)
            for name, count in counts.items()
            if count is not None
        ),
        extremes=(*row["highest"], *reversed(row["lowest"])),
    )
