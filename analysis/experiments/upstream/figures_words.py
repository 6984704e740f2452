"""Figures of experiment 10: from which tokens, and in other word pairs."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int
from plotly.subplots import make_subplots

from analysis.drawing import marks, style
from analysis.drawing.labels import pair_tokens
from analysis.experiments.upstream.measured import Upstream

MOST_SOURCES = 8
PAIR_ROWS = 8


def upstream_sources(result: Upstream) -> go.Figure:
    """The strongest heads' parts by the token they take them from, clean beside corrupted."""
    if not result.heads:
        return style.nothing()
    values = result.sources[result.leading]
    rows = _position_labels(values)
    tokens = pair_tokens(result.clean_tokens, result.corrupted_tokens)
    labels = [*(tokens[i] for i in rows), "all other tokens"]
    limit = max(0.05, float(np.abs(values).max()))
    figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.04)
    left = style.label_width(labels) + 20
    figure.update_layout(style.frame(24 * len(labels) + 40 + 132, left, 40, 132, 12))
    figure.update_layout(
        coloraxis=style.diverging(limit, f"part of the {result.lead} pre-activation")
    )
    for side, name in enumerate(("clean", "corrupted")):
        _source_map(figure, result, side, rows, labels)
        style.heading(
            figure, f"<b>{name}</b>", figure.get_subplot(1, side + 1).xaxis.domain[0], 1, yshift=4
        )
    figure.update_xaxes(title="attention head", showgrid=False, zeroline=False)
    figure.update_yaxes(**style.rows(labels))
    figure.update_yaxes(title="source token", col=1)
    return figure


def _position_labels(values: Float[np.ndarray, "side head pos"]) -> list[int]:
    """The positions with the largest parts, in the order of the text."""
    strongest = np.argsort(-np.abs(values).max((0, 1)), kind="stable")[:MOST_SOURCES]
    return sorted(strongest.tolist())


def _source_map(
    figure: go.Figure, result: Upstream, side: int, rows: list[int], labels: list[str]
) -> None:
    values, attention = result.sources[result.leading, side], result.attention[side]
    others = np.setdiff1d(np.arange(values.shape[1]), rows)
    cells, weights = (
        np.concatenate([v[:, rows], v[:, others].sum(1, keepdims=True)], 1).T
        for v in (values, attention)
    )
    limit = float(np.abs(result.sources[result.leading]).max())
    digits = 1 if limit >= 1 else 2  # on a phone two digits more would reach into the next cell,
    least = limit / 4  # and so would numbers in many cells
    figure.add_heatmap(
        z=cells.astype(float).round(4).tolist(),
        x=list(result.heads),
        y=list(range(len(labels))),
        coloraxis="coloraxis",
        text=[[style.plain(v, digits) if abs(v) >= least else "" for v in row] for row in cells],
        texttemplate="%{text}",
        textfont={"size": 10, **style.ON_COLOUR},
        customdata=[
            [[label, style.percent(w)] for w in row]
            for label, row in zip(labels, weights, strict=True)
        ],
        hovertemplate="%{x} from %{customdata[0]}: %{z:.3f}<br>attention %{customdata[1]}"
        "<extra></extra>",
        xgap=1,
        ygap=1,
        row=1,
        col=side + 1,
    )


def upstream_pairs(result: Upstream) -> go.Figure:
    """Differences of parts in other word pairs, with intervals, beside those of matched neurons."""
    lead = result.leading
    order = np.argsort(-np.abs(result.contrast[0, lead]), kind="stable")[:PAIR_ROWS]
    names = [result.components[i] for i in order]
    figure = style.canvas(36 * len(names) + 64, left=style.label_width(names) + 18, right=16)
    control = result.matched_contrast[:, lead][:, order]
    for row, values in enumerate(control.T):
        if len(values):
            low, high = np.quantile(values, [0.025, 0.975])
            style.band(figure, float(low), float(high), row - 0.34, row + 0.34)
    _pair_dots(figure, result, order, names)
    figure.update_yaxes(title="head, MLP", **style.rows(names))
    figure.update_xaxes(
        title=f"difference of the part (clean minus corrupted),<br>{result.lead} pre-activation",
        zerolinewidth=2,
    )
    figure.layout.margin.b += style.LINE
    figure.layout.height += style.LINE
    lines = [style.swatch(style.CLEAN, "the pair asked about", "○")]
    if len(result.pairs) > 1:
        mean = style.swatch(style.CLEAN, f"mean of {len(result.pairs) - 1} held-out pairs (95 %)")
        lines = [mean, f"{lines[0]}   {style.swatch(style.OTHER, 'single pairs', '❘')}"]
    if len(control):
        lines.append(style.swatch(style.FAINT, f"95 % of {len(control)} matched neurons", "■"))
    style.note(figure, *lines)
    return figure


def _pair_dots(
    figure: go.Figure, result: Upstream, order: Int[np.ndarray, " row"], names: list[str]
) -> None:
    values = result.contrast[:, result.leading][:, order]
    colour = style.CLEAN
    if len(values) > 1:
        _single_pairs(figure, values[1:], names)
        held_out = [result.held_out_difference(result.components[i]) for i in order]
        marks.estimates(figure, held_out, names, colour, ", mean", size=9, form=style.signed)
    label = "pair asked about"
    marks.rings(figure, values[0], names, label, colour=colour, size=10, form=style.signed)


def _single_pairs(
    figure: go.Figure, values: Float[np.ndarray, "pair row"], names: list[str]
) -> None:
    places = [(pair, row) for pair in range(len(values)) for row in range(len(names))]
    figure.add_scatter(
        x=[round(float(values[place]), 3) for place in places],
        y=[row for _, row in places],
        mode="markers",
        marker={
            "symbol": "line-ns-open",
            "size": 9,
            "color": style.OTHER,
            "line": {"width": 1},
        },
        hoverinfo="skip",
    )
