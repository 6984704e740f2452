"""Figure of experiment 13: a neuron's activation after two groups of words, by sentence."""

import textwrap

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import style
from analysis.experiments.generality.compute import Generality

STRIPS, HEADING = 40, 10  # pixels of a sentence's two strips of dots, and of the gap above it
SHIFT = 9  # pixels, of either group off the middle
LEFT, RIGHT, BOTTOM = 12, 14, 78
NEAR_EDGE = 0.15  # an AUC below this has no room for its number on the left


def generality(result: Generality) -> go.Figure:
    """Left every word's activation, right how well it tells the groups apart, by sentence."""
    headings = [_heading(result, i) for i in range(len(result.templates))]
    rows = [STRIPS + HEADING + style.LINE * len(lines) for lines in headings]
    figure = make_subplots(1, 2, column_widths=[0.62, 0.38], horizontal_spacing=0.06)
    figure.update_layout(style.frame(sum(rows) + 4 + BOTTOM, LEFT, 4, BOTTOM, RIGHT))
    middles = -np.cumsum(rows) + STRIPS / 2
    _axes(figure, result, sum(rows))
    for index, (middle, lines) in enumerate(zip(middles.tolist(), headings, strict=True)):
        drawn = len(figure.data)
        _sentence(figure, lines, middle)
        _words(figure, result, index, middle)
        _areas(figure, result, index, middle)
        for trace in figure.data[drawn:]:
            trace.name = style.escaped(result.templates[index])
    _legend(figure, result)
    return figure


def _heading(result: Generality, index: int) -> list[str]:
    text = result.templates[index].replace("{}", "…")
    lines = [style.escaped(line) for line in textwrap.wrap(text, style.NARROW)] or [""]
    return [f"<b>{line}</b>" for line in lines] if index == 0 else lines


def _axes(figure: go.Figure, result: Generality, height: float) -> None:
    values = result.activation
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    room = 0.04 * (high - low) + 1e-6
    figure.update_yaxes(range=[-height, 0], visible=False)
    figure.update_xaxes(
        title="activation", range=[low - room, high + room], zerolinewidth=2, nticks=6, col=1
    )
    figure.update_xaxes(
        title="AUC (share of<br>word pairs in the<br>expected order)",
        range=[-0.06, 1.06],
        tickvals=[0, 0.5, 1],
        zeroline=False,
        col=2,
    )


def _sentence(figure: go.Figure, lines: list[str], middle: float) -> None:
    """The sentence above its strips, over the whole width."""
    figure.add_annotation(
        text="<br>".join(lines),
        x=0,
        xref="paper",
        xanchor="left",
        y=middle + STRIPS / 2,
        yref="y",
        yanchor="bottom",
        align="left",
        borderpad=0,
    )


def _words(figure: go.Figure, result: Generality, index: int, middle: float) -> None:
    """A strip of dots for either group, with its mean and interval."""
    size = len(result.target_words)
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
        _estimate(figure, (float(mean), y), span, colour, "mean activation", col=1)


def _estimate(
    figure: go.Figure,
    point: tuple[float, float],
    span: np.ndarray,
    colour: str,
    name: str,
    col: int,
    symbol: str = "line-ns-open",
) -> None:
    """A value with its 95 % interval."""
    value, (low, high) = point[0], span.tolist()
    stroke = 2 if symbol.endswith("open") else 0
    figure.add_scatter(
        x=[round(value, 4)],
        y=[point[1]],
        mode="markers",
        marker={"color": colour, "size": 9, "symbol": symbol, "line": {"width": stroke}},
        error_x=style.whiskers(colour, [value], [low], [high]),
        customdata=[[style.plain(value), style.plain(low), style.plain(high)]],
        hovertemplate=f"{name}: %{{customdata[0]}} "
        "[%{customdata[1]}, %{customdata[2]}]<extra></extra>",
        cliponaxis=False,
        row=1,
        col=col,
    )


def _areas(figure: go.Figure, result: Generality, index: int, middle: float) -> None:
    """The AUC of the activation and of the model's answer, over what chance and others reach."""
    low, high = result.shuffled_interval[index].tolist()
    band = {"x0": low, "x1": high, "y0": middle - STRIPS / 2, "y1": middle + STRIPS / 2}
    figure.add_shape(
        type="rect",
        **band,
        xref="x2",
        yref="y2",
        fillcolor=style.FAINT,
        line_width=0,
        layer="below",
    )
    figure.add_scatter(
        x=result.matched_auc[index].round(3).tolist(),
        y=[middle - 1.5 * SHIFT] * len(result.matched),
        mode="markers",
        marker={"color": style.OTHER, "size": 7, "symbol": "line-ns-open", "line": {"width": 1}},
        text=list(result.matched),
        hovertemplate="%{text}: AUC %{x:.2f}<extra></extra>",
        row=1,
        col=2,
    )
    place, model = (float(result.auc[index]), middle + SHIFT), float(result.diff_auc[index])
    _estimate(figure, (model, middle), result.diff_auc_interval[index], style.TRUE,
              "AUC of the logit difference", 2, "diamond")  # fmt: skip
    _estimate(figure, place, result.auc_interval[index], style.TARGET,
              "AUC of the activation", 2, "circle")  # fmt: skip
    right = place[0] < NEAR_EDGE
    figure.add_annotation(
        x=result.auc_interval[index][int(right)],
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
