"""Figure of experiment 13: a neuron's activation after two groups of words, by sentence."""

import textwrap

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import marks, style
from analysis.experiments.generality.compute import Generality, sign_of
from analysis.intervals import area_span, signed_area

STRIPS, HEADING = 40, 10  # pixels of a sentence's two strips of dots, and of the gap above it
SHIFT = 9  # pixels, of either group off the middle
LEFT, RIGHT, BOTTOM = 12, 14, 78
NEAR_EDGE = 0.15  # an AUC below this has no room for its number on the left


def generality(result: Generality, sign: int | None = None) -> go.Figure:
    """Left every word's activation, right how well it tells the groups apart, by sentence.

    The neuron's is read with the sign with which it is used, by default ``sign_of``.
    """
    headings = [_heading(result, i) for i in range(len(result.templates))]
    rows = [STRIPS + HEADING + style.LINE * len(lines) for lines in headings]
    figure = make_subplots(1, 2, column_widths=[0.62, 0.38], horizontal_spacing=0.06)
    figure.update_layout(style.frame(sum(rows) + 4 + BOTTOM, LEFT, 4, BOTTOM, RIGHT))
    middles = -np.cumsum(rows) + STRIPS / 2
    _axes(figure, result, sum(rows))
    for index, (middle, lines) in enumerate(zip(middles.tolist(), headings, strict=True)):
        drawn = len(figure.data)
        style.above(figure, lines, middle + STRIPS / 2)
        _words(figure, result, index, middle)
        _areas(figure, result, index, middle, sign or sign_of(result))
        for trace in figure.data[drawn:]:
            trace.name = style.escaped(result.templates[index])
    _legend(figure, result)
    return figure


def _heading(result: Generality, index: int) -> list[str]:
    text = result.templates[index].replace("{}", "…")
    lines = [style.escaped(line) for line in textwrap.wrap(text, style.NARROW)] or [""]
    return [f"<b>{line}</b>" for line in lines] if index == 0 else lines


def _axes(figure: go.Figure, result: Generality, height: float) -> None:
    shown = style.limits(result.activation, 0.04)
    figure.update_yaxes(range=[-height, 0], visible=False)
    figure.update_xaxes(title="activation", range=shown, zeroline=False, nticks=6, col=1)
    figure.update_xaxes(
        title="AUC (share of<br>word pairs in the<br>expected order)",
        range=[-0.06, 1.06],
        tickvals=[0, 0.5, 1],
        zeroline=False,
        col=2,
    )


def _words(figure: go.Figure, result: Generality, index: int, middle: float) -> None:
    """A strip of dots for either group, with its mean and interval."""
    size = len(result.target_words)
    style.zero(figure, middle - STRIPS / 2, middle + STRIPS / 2, row=1, col=1)
    groups = (
        (style.TARGET, result.target, result.target_words, result.activation[index, :size]),
        (style.FOIL, result.foil, result.foil_words, result.activation[index, size:]),
    )
    for place, (colour, token, words, values) in enumerate(groups):
        y = middle + SHIFT * (1 - 2 * place)
        figure.add_scatter(
            x=values.round(3).tolist(),
            y=[y] * len(words),
            mode="markers",
            marker={"color": colour, "size": 6, "opacity": 0.5},
            customdata=[
                [style.visible(word), style.visible(token), style.plain(value)]
                for word, value in zip(words, values, strict=True)
            ],
            hovertemplate="%{customdata[0]} (calls for %{customdata[1]}): "
            "activation %{customdata[2]}<extra></extra>",
            row=1,
            col=1,
        )
        mean, span = result.means[index, place], result.mean_intervals[index, place]
        look = colour, "line-ns-open"
        marks.estimate(figure, (float(mean), y), span, look, "mean activation", row=1, col=1)


def _areas(figure: go.Figure, result: Generality, index: int, middle: float, sign: int) -> None:
    """The AUC of the activation and of the model's answer, over what chance and others reach."""
    low, high = area_span(result.shuffled_interval[index], sign)
    style.band(figure, low, high, middle - STRIPS / 2, middle + STRIPS / 2, row=1, col=2)
    figure.add_scatter(
        x=signed_area(result.matched_auc[index], sign).round(3).tolist(),
        y=[middle - 1.5 * SHIFT] * len(result.matched),
        mode="markers",
        marker={"color": style.OTHER, "size": 7, "symbol": "line-ns-open", "line": {"width": 1}},
        text=list(result.matched),
        hovertemplate="%{text}: AUC %{x:.2f}<extra></extra>",
        row=1,
        col=2,
    )
    place = float(signed_area(result.auc[index], sign)), middle + SHIFT
    span = np.array(area_span(result.auc_interval[index], sign))
    model = float(result.diff_auc[index])
    for point, bounds, look, name in (
        (
            (model, middle),
            result.diff_auc_interval[index],
            (style.TRUE, "diamond"),
            "logit difference",
        ),
        (place, span, (style.TARGET, "circle"), "activation"),
    ):
        marks.estimate(figure, point, bounds, look, f"AUC of the {name}", row=1, col=2)
    right = place[0] < NEAR_EDGE
    figure.add_annotation(
        x=span[int(right)],
        y=place[1],
        xref="x2",
        yref="y2",
        text=f"<b>{style.plain(place[0])}</b>",
        xanchor="left" if right else "right",
        xshift=6 if right else -6,
    )


def _legend(figure: go.Figure, result: Generality) -> None:
    target, foil = style.short(result.target), style.short(result.foil)
    counts = len(result.target_words), len(result.foil_words)
    style.note(
        figure,
        style.key(
            (style.TARGET, f"{counts[0]} words that take {target}"),
            (style.FOIL, f"{counts[1]} that take {foil}"),
        ),
        "lines: means with 95 % intervals",
        "bold: the pair’s sentence",
        style.key(
            (style.TARGET, "AUC of the activation"), (style.TRUE, "of the model’s answer", "◆")
        ),
        style.key(
            (style.FAINT, "with labels shuffled (95 %)", "■"),
            (style.OTHER, f"{len(result.matched)} other neurons", "❘"),
        ),
    )
