"""Figures of experiment 21: redraws of the weights, and prompt formats."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import marks, style
from analysis.experiments.robustness.compute import Robustness, lost, recovered
from analysis.experiments.robustness.facts import sign_of
from analysis.intervals import area_span, signed_area

ROW = 34  # pixels
SHARES = ("recovered", "lost")
RUNS = ("clean", "corrupted", "denoised", "noised")
SHIFT = 0.2  # rows, from one mark to the next


def robustness(result: Robustness) -> go.Figure:
    """Each redraw as a dot: shares above, the four answers below; the model as it is as a ring."""
    if not len(result.drawn_answers):
        return style.nothing()
    top, bottom, gap = 12, 48, 64
    height = ROW * (len(SHARES) + len(RUNS)) + gap + top + bottom
    figure = make_subplots(
        2,
        1,
        row_heights=[len(SHARES), len(RUNS)],
        vertical_spacing=gap / (height - top - bottom),
    )
    left = style.label_width([*SHARES, *RUNS]) + 22
    figure.update_layout(style.frame(height, left, top, bottom, 12))
    own, drawn = result.format_answers[0], result.drawn_answers
    shares = np.stack([recovered(drawn), lost(drawn)], -1)
    _panel(figure, 1, SHARES, shares, np.array([recovered(own), lost(own)]))
    _panel(figure, 2, RUNS, drawn, own)
    figure.update_yaxes(title="run", row=2, col=1)
    figure.update_xaxes(title="share of the difference", rangemode="tozero", row=1, col=1)
    figure.update_xaxes(title="logit difference", zerolinewidth=2, row=2, col=1)
    style.note(
        figure,
        style.key((style.TARGET, f"{len(drawn)} redraws"), (style.OTHER, "as the model is", "○")),
    )
    return figure


def _panel(
    figure: go.Figure, row: int, names: tuple[str, ...], drawn: np.ndarray, own: np.ndarray
) -> None:
    jitter = np.linspace(-0.26, 0.26, len(drawn))[:, None]
    places = np.arange(len(names))
    figure.add_scatter(
        x=drawn.round(4).ravel().tolist(),
        y=(places + jitter).round(3).ravel().tolist(),
        mode="markers",
        marker={"color": style.TARGET, "size": 6, "opacity": 0.7},
        customdata=[
            [name, number, style.plain(value, 3)]
            for number, values in enumerate(drawn, 1)
            for name, value in zip(names, values, strict=True)
        ],
        hovertemplate="%{customdata[0]}, redraw %{customdata[1]}: %{customdata[2]}<extra></extra>",
        row=row,
        col=1,
    )
    marks.rings(figure, own, names, "as the model is", size=13, row=row, col=1)
    figure.update_yaxes(**style.rows(names), row=row, col=1)


def robustness_formats(result: Robustness, sign: int | None = None) -> go.Figure:
    """A row per format: AUC of neuron and answer over words, and recovery in the pair.

    The neuron's is read with the sign with which it is used, by default ``sign_of``.
    """
    names = list(result.formats)
    figure = style.canvas(66 * len(names) + 66, left=style.label_width(names) + 20)
    figure.add_shape(type="line", x0=0.5, x1=0.5, y0=0, y1=1, yref="paper", line_dash="dot")
    words = bool(result.words)
    if words:
        own = sign or sign_of(result)
        _areas(figure, result, 0, (style.TARGET, "circle"), "AUC of the neuron", own)
        _areas(figure, result, 1, (style.TRUE, "diamond"), "AUC of the answer")
    shares = recovered(result.format_answers)
    figure.add_scatter(
        x=shares.round(4).tolist(),
        y=[row + SHIFT for row in range(len(names))],
        mode="markers",
        marker={"color": style.OTHER, "size": 9, "symbol": "triangle-up"},
        customdata=[[n, style.plain(v, 3)] for n, v in zip(names, shares, strict=True)],
        hovertemplate="%{customdata[0]}, recovery: %{customdata[1]}<extra></extra>",
    )
    figure.update_yaxes(title="format", **style.rows(names))
    figure.update_xaxes(title="AUC, or share of the difference", **_range(shares))
    areas = ((style.TARGET, "neuron over words"), (style.TRUE, "answer", "◆"))
    recovery = style.OTHER, "recovery in the pair", "▲"
    style.note(figure, style.key(*(areas if words else ()), recovery))
    return figure


def _range(shares: np.ndarray) -> dict[str, Any]:
    """From nothing to all of it, and to what lies beyond."""
    values = np.concatenate([[0.0, 1.0], shares])  # an AUC lies between
    return {"range": [float(np.nanmin(values)) - 0.04, float(np.nanmax(values)) + 0.04]}


def _areas(
    figure: go.Figure,
    result: Robustness,
    measure: int,
    look: tuple[str, str],
    name: str,
    sign: int = 1,
) -> None:
    colour, symbol = look
    values = signed_area(result.area[measure], sign)
    spans = np.array([area_span(each, sign) for each in result.area_interval[measure]])
    places = [row + SHIFT * (measure - 1) for row in range(len(values))]
    found = np.column_stack([values, spans])
    label, form = f", {name}", style.plain
    marks.estimates(
        figure, found, result.formats, colour, label, rows=places, size=9, symbol=symbol, form=form
    )
