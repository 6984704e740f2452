"""Figure of experiment 4 about its screen: attribution beside the truth of every neuron."""

import numpy as np
import plotly.graph_objects as go

from analysis import questions
from analysis.drawing import style
from analysis.experiments.neuron_sweep.measured import NeuronSweep
from analysis.experiments.neuron_sweep.screens import DEFAULT, SIZES, Bench, Row, kept

TEN, FIFTY, _ = map(str, SIZES)
ROW = 38
"""Pixels from one question to the next: two lines in the margin."""


def screen_recall(result: NeuronSweep) -> go.Figure:
    """A row for each question of the bench, whose pairs are averaged; it is of no single study."""
    bench = kept()
    rows = bench.of(DEFAULT, averaged=True)
    labels = [_words(row) for row in rows]
    figure = style.canvas(ROW * len(rows) + 64, left=style.label_width(labels) + 16, right=92)
    _single(figure, bench, rows)
    for size, symbol, offset in ((TEN, "circle-open", -0.14), (FIFTY, "circle", 0.14)):
        _averaged(figure, rows, size, symbol, offset)
    _others(figure, bench, rows)
    _margin(figure, rows)
    figure.update_yaxes(
        title={"text": "question", "standoff": 4},
        **style.rows(
            [f"{w}<br>{len(row.pairs)} pairs" for w, row in zip(labels, rows, strict=True)],
            -0.6,
            0.4,
        ),
    )
    low = min(min(shown.x, default=1.0) for shown in figure.data)
    named = "recall (share of the largest effects found)"
    figure.update_xaxes(title=named, range=[low - 0.06, 1.04], tickformat=".0%", dtick=0.2)
    style.note(
        figure,
        style.swatch(style.TARGET, "attribution, pairs averaged: of the 10 largest", "○"),
        style.key(
            (style.TARGET, "of the 50 largest"), (style.OTHER, "of 50, on each pair alone", "|")
        ),
        style.swatch(style.FOIL, "of 50, by the best of the other estimates", "◇"),
        "right: the largest effect missed, in logits",
    )
    return figure


def _words(row: Row) -> str:
    question = questions.load(row.question)
    return f"{style.short(question.target)} / {style.short(question.foil)}"


def _averaged(figure: go.Figure, rows: list[Row], size: str, symbol: str, offset: float) -> None:
    figure.add_scatter(
        x=[round(row.recall[size], 4) for row in rows],
        y=[place + offset for place in range(len(rows))],
        mode="markers",
        marker={
            "color": style.TARGET,
            "size": 10,
            "symbol": symbol,
            "line": {"width": 2 * (size == TEN)},
        },
        customdata=[[size, style.plain(row.missed[size], 3)] for row in rows],
        hovertemplate="%{x:.0%} of the %{customdata[0]} largest mean effects; the largest that is "
        "missed: %{customdata[1]} logits<extra></extra>",
    )


def _single(figure: go.Figure, bench: Bench, rows: list[Row]) -> None:
    """Each pair alone, in ticks that lie over each other where they are equal."""
    place = {row.question: i for i, row in enumerate(rows)}
    alone = bench.of(DEFAULT)
    figure.add_scatter(
        x=[round(row.recall[FIFTY], 4) for row in alone],
        y=[place[row.question] + 0.34 for row in alone],
        mode="markers",
        marker={"color": style.OTHER, "size": 8, "symbol": "line-ns", "line": {"width": 1.5}},
        hovertemplate="one pair: %{x:.0%} of the 50 largest<extra></extra>",
    )
    figure.data[-1].marker.line.color = style.OTHER


def _others(figure: go.Figure, bench: Bench, rows: list[Row]) -> None:
    """The other estimate that has most of the fifty, averaged over the same pairs."""
    others = [name for name in bench.screens if name != DEFAULT]
    found = [
        max(
            (
                each
                for name in others
                for each in bench.of(name, averaged=True)
                if each.question == row.question
            ),
            key=lambda each: each.recall[FIFTY],
        )
        for row in rows
    ]
    figure.add_scatter(
        x=[round(each.recall[FIFTY], 4) for each in found],
        y=(np.arange(len(rows)) + 0.14).tolist(),
        mode="markers",
        marker={"color": style.FOIL, "size": 9, "symbol": "diamond-open", "line": {"width": 2}},
        customdata=[[each.screen] for each in found],
        hovertemplate="%{customdata[0]}: %{x:.0%} of the 50 largest<extra></extra>",
    )


def _margin(figure: go.Figure, rows: list[Row]) -> None:
    """The largest effects missed, beside each row."""
    for place, row in enumerate(rows):
        lines = (f"of {size}: {style.plain(row.missed[size], 2)}" for size in (TEN, FIFTY))
        style.beside(figure, place, "<br>".join(lines), align="left")
