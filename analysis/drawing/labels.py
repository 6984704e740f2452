"""Where direct labels go: apart from each other, tied to their marks by thin lines."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from analysis.drawing.style import LINE, ON_CELLS, short

EDGE = 0.4
"""Share of the width, from the left, in which labels go to the right of their marks."""


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places nearest to the wanted ones that are at least a gap apart, within bounds.

    Least squares by pooling adjacent violators of the order (isotonic regression).
    """
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    pools: list[list[float]] = []
    for value in np.asarray(wanted, dtype=float)[order] - steps:
        pools.append([value])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    level = np.concatenate([[np.mean(pool)] * len(pool) for pool in pools] or [[]])
    placed = np.empty(len(wanted))
    room = max(low, high - (steps[-1] if len(steps) else 0))
    placed[order] = np.clip(level, low, room) + steps
    return placed.tolist()


def unit_pixels(figure: go.Figure) -> float:
    """Pixels per unit of the first y axis, whose range must be set."""
    low, high = figure.layout.yaxis.range
    margin = figure.layout.margin
    return (figure.layout.height - margin.t - margin.b) / (high - low)


def callouts(figure: go.Figure, points: Sequence[tuple[float, float, str]], side: str) -> None:
    """Label (x, y, text) points to one side, each label joined to its mark by a thin line."""
    low, high = figure.layout.yaxis.range
    scale = unit_pixels(figure)
    places = spread([y * scale for _, y, _ in points], LINE, low * scale + 8, high * scale - 8)
    for (x, y, text), place in zip(points, places, strict=True):
        figure.add_annotation(
            x=x,
            y=y,
            text=text,
            ax=-30 if side == "left" else 30,
            ay=y * scale - place,
            showarrow=True,
            standoff=4,
            xanchor="right" if side == "left" else "left",
            align="right" if side == "left" else "left",
        )


def end_labels(figure: go.Figure, x: float, ends: Sequence[tuple[float, str]]) -> None:
    """Label (y, text) ends of curves to their right, in two lines each and clear of each other."""
    low, high = figure.layout.yaxis.range
    scale = unit_pixels(figure)
    wanted = [y * scale for y, _ in ends]
    places = spread(wanted, 2 * LINE, low * scale + LINE, high * scale - LINE)
    for (y, text), want, place in zip(ends, wanted, places, strict=True):
        figure.add_annotation(
            x=x,
            y=y,
            text=text,
            xanchor="left",
            align="left",
            xshift=10,
            yshift=place - want,
        )


def beside_cell(
    figure: go.Figure,
    cell: tuple[float, float],
    text: str,
    right: bool,
    panel: tuple[int, int],
    lift: float = 0,
) -> None:
    """Label a cell of a map, on a ground of its own: other cells lie beneath, of any colour.

    Args:
        figure: has the map.
        cell: its column and row, as the axes count them.
        text: the label.
        right: whether it stands to the right of the cell; else to the left.
        panel: row and column of the map in the figure.
        lift: pixels that it stands higher than its cell, to leave another label free.
    """
    x, y = cell
    side = 1 if right else -1
    figure.add_annotation(
        x=x + side / 2,
        y=y,
        text=text,
        xanchor="left" if right else "right",
        xshift=2 * side,
        yshift=lift,
        templateitemname=ON_CELLS,
        visible=True,
        row=panel[0],
        col=panel[1],
    )


def stems(
    figure: go.Figure, marks: Sequence[tuple[str, float, str]], base: float, peak: float
) -> None:
    """Mark (text, x, colour) values, largest first, on a histogram whose y axis is logarithmic.

    The labels stand above the highest bar; the further left a line is, the shorter, so that it
    crosses no label. ``base`` and ``peak`` are decimal logarithms.
    """
    margin = figure.layout.margin
    pixels = figure.layout.height - margin.t - margin.b
    top = base + (peak - base) * pixels / (pixels - LINE * len(marks) - 8)
    figure.update_yaxes(range=[base, top], tickvals=[10**i for i in range(int(peak) + 1)])
    low, high = figure.layout.xaxis.range
    for place, (text, x, colour) in enumerate(marks):
        height = top - (top - base) / pixels * LINE * (place + 0.6)
        line = {"color": colour, "width": 2}
        figure.add_shape(type="line", x0=x, x1=x, y0=10**base, y1=10**height, line=line)
        right = x < low + EDGE * (high - low)
        figure.add_annotation(
            x=x,
            y=height,
            text=text,
            xanchor="left" if right else "right",
            xshift=4 if right else -4,
        )


def pair_tokens(clean: Sequence[str], corrupted: Sequence[str], longest: int = 12) -> list[str]:
    """One label per position: the token, or both where the prompts differ."""
    return [
        short(a, longest) if a == b else f"{short(a, longest)} / {short(b, longest)}"
        for a, b in zip(clean, corrupted, strict=True)
    ]


def token_axis(labels: Sequence[str], most: int = 40) -> dict[str, Any]:
    """An axis with a place for each token, of which at most so many are named."""
    ticks = thinned(len(labels), most, (len(labels) - 1,))
    named = {"tickvals": ticks, "ticktext": [labels[i] for i in ticks], "tickangle": -90}
    return {**named, "showgrid": False, "zeroline": False, "range": [-0.7, len(labels) - 0.3]}


def thinned(count: int, most: int, always: Sequence[int] = ()) -> list[int]:
    """Positions to tick: all if they fit, else the important ones and others far from them."""
    if count <= most:
        return list(range(count))
    gap = count / most
    kept: list[int] = []
    for position in (*always, *range(count)):
        if all(abs(position - other) >= gap for other in kept):
            kept.append(position)
    return sorted(kept)
