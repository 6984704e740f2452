"""Figure of experiment 19: the best neuron of each question, on pairs that did not choose it."""

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import marks, style
from analysis.experiments.library.facts import Facts, facts
from analysis.experiments.library.measured import Library

ROW = 34
"""Pixels from one question to the next: two lines in the margin."""


def library(result: Library) -> go.Figure:
    """A row a question: the best neuron with its interval, the second, and what chance gives."""
    found = facts(result)
    labels = [f"{style.short(row.target)} / {style.short(row.foil)}" for row in found.rows]
    figure = style.canvas(ROW * len(labels) + 64, left=style.label_width(labels) + 20, right=84)
    _chance(figure, result, found)
    _dots(figure, found)
    _margin(figure, found)
    figure.update_yaxes(title="target / foil tokens", **style.rows(labels, -0.6, 0.4))
    figure.update_xaxes(title="recovery (share of the gap)", range=_limits(found), zerolinewidth=2)
    style.note(
        figure,
        style.swatch(style.TARGET, "best neuron, on pairs that did not choose it"),
        style.swatch(style.OTHER, "the second neuron"),
        style.swatch(style.FOIL, "chosen with shuffled labels", "|"),
        style.swatch(style.TRUE, "the best of random neurons", "|"),
        "right: the best neuron; how many take half",
    )
    return figure


def _dots(figure: go.Figure, found: Facts) -> None:
    """The second neuron's dot, and over it the best one's with its interval."""
    rows = found.rows[: found.told_apart]
    places = [*range(len(rows))]
    figure.add_scatter(
        x=[round(row.second_recovery, 4) for row in rows],
        y=places,
        mode="markers",
        marker={"color": style.OTHER, "size": 8},
        customdata=[[row.second, style.plain(row.second_recovery, 3)] for row in rows],
        hovertemplate="%{customdata[0]}, the second: %{customdata[1]}<extra></extra>",
    )
    best, names = [row.recovery for row in rows], [row.neuron for row in rows]
    marks.estimates(figure, best, names, style.TARGET, rows=places)


def _chance(figure: go.Figure, result: Library, found: Facts) -> None:
    """A tick for each draw of either control, in its own half of the row."""
    place = {name: i for i, name in enumerate(result.questions)}
    for name, what, colour, offset in (
        ("shuffled", "chosen with shuffled labels", style.FOIL, 0.22),
        ("random", "the best of random neurons", style.TRUE, 0.36),
    ):
        drawn = getattr(result, name)[[place[row.name] for row in found.rows[: found.told_apart]]]
        figure.add_scatter(
            x=drawn.ravel().astype(float).round(4).tolist(),
            y=(np.repeat(np.arange(len(drawn)), found.draws) + offset).tolist(),
            mode="markers",
            marker={"color": colour, "size": 7, "symbol": "line-ns", "line": {"width": 1}},
            hovertemplate=f"{what}: %{{x:.3f}}<extra></extra>",
        )
        figure.data[-1].marker.line.color = colour


def _margin(figure: go.Figure, found: Facts) -> None:
    """The best neuron and how many take half; a word on what the model does not tell apart."""
    for place, row in enumerate(found.rows):
        if row.verdict == "untold":
            figure.add_annotation(
                text=f"not told apart ({row.told_apart} of {row.pairs} pairs)",
                x=0,
                y=place,
                xanchor="left",
                xshift=4,
                font={"color": style.OTHER},
            )
            continue
        many = f"half: {row.needed.size:,}" if row.needed.size else f"over {row.largest:,}"
        name = f"<b>{row.neuron}</b>" if row.verdict == "one" else row.neuron
        style.beside(figure, place, f"{name}<br>{many}", align="left")


def _limits(found: Facts) -> list[float]:
    """Room for every mark."""
    rows = found.rows[: found.told_apart]
    ends = [end for row in rows for end in (*row.recovery, row.second_recovery)]
    ends += [end for row in rows for end in (row.shuffled, row.random, -row.shuffled)]
    known = [end for end in ends if np.isfinite(end)]
    low, high = min(0.0, *known, 0.0), max(0.5, *known, 0.5)
    return [low - 0.05, high + 0.05]
