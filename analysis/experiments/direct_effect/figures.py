"""Figures of experiment 6: which tokens a neuron writes, whatever the prompt."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import style
from analysis.drawing.labels import stems
from analysis.experiments.direct_effect.compute import DirectEffect
from analysis.experiments.direct_effect.facts import raising

WHOLE = 100
"""From here on no tenths are written: they would not fit on a phone."""

LETTERS = 9
"""Of a token in a list: half of a phone is narrow."""

UNIT = {1: "unit of activation", -1: "unit of negative activation"}


def direct_effect(result: DirectEffect, sign: int | None = None) -> go.Figure:
    """How many tokens get which logit; target, foil and both controls marked.

    It is read with the sign with which the neuron is used, by default ``raising``.
    """
    sign = sign or raising(result)
    marked = _marked(result, sign)
    figure = style.canvas(320 + style.LINE * len(marked), left=56)
    edges, counts = sign * result.bin_edges[::sign], result.bin_counts[::sign]
    figure.add_bar(
        x=((edges[1:] + edges[:-1]) / 2).round(4).tolist(),
        y=counts.tolist(),
        width=np.diff(edges).round(4).tolist(),
        marker={"color": style.OTHER, "line": {"width": 0}},
        hovertemplate="tokens near %{x:.2f}: %{y:,}<extra></extra>",
    )
    values = [value for _, value, _ in marked]
    band, most = _controls_of(result, sign)
    values += [*band, *most]
    low, high = min(float(edges[0]), *values), max(float(edges[-1]), *values)
    room = 0.06 * (high - low)
    figure.update_xaxes(
        title=f"logit per {UNIT[sign]} (centred)",
        range=[low - room, high + room],
        zeroline=False,
        showgrid=False,
    )
    figure.update_yaxes(title="tokens per bin (log scale)", type="log")
    _controls(figure, band, most, sign * raising(result))
    texts = [(f"{style.short(t)} {style.signed(x, 1)}", x, colour) for t, x, colour in marked]
    stems(figure, texts, base=-0.4, peak=float(np.log10(max(10, counts.max()))))
    return figure


def _marked(result: DirectEffect, sign: int) -> list[tuple[str, float, str]]:
    """(token, logit, colour) of the target, its variants and the foil, largest logit first."""
    found = {
        v: (float(logit), style.TARGET)
        for v, logit in zip(result.variants, result.variant_logits, strict=True)
    }
    found[result.target] = (result.target_logit, style.TARGET)
    found[result.foil] = (result.foil_logit, style.FOIL)
    rows = [(token, sign * logit, colour) for token, (logit, colour) in found.items()]
    return sorted(rows, key=lambda row: -row[1])


def _controls_of(result: DirectEffect, sign: int) -> tuple[list[float], list[float]]:
    """Where the best tokens of random directions lie, and most of those of the layer's neurons.

    They stand on the target's side: a neuron that is used to lower it has it below.
    """
    side = sign * raising(result)
    band = sorted(np.quantile(side * result.rotated_best, [0.025, 0.975]).tolist())
    if not len(result.layer_best):
        return band, []
    return band, [float(side * result.spread * np.quantile(result.layer_best, 0.95))]


def _controls(figure: go.Figure, band: list[float], most: list[float], side: int) -> None:
    figure.add_vrect(x0=band[0], x1=band[1], fillcolor=style.FAINT, line_width=0, layer="below")
    notes = ["shaded: best tokens of random directions (95 %)"]
    for place in most:
        figure.add_vline(x=place, line={"color": style.OTHER, "width": 1.5, "dash": "dot"})
        where = "below" if side > 0 else "above"
        notes.append(f"dotted: 95 % of its layer have their best {where}")
    style.note(figure, *notes)


def written_tokens(result: DirectEffect, sign: int | None = None) -> go.Figure:
    """The tokens the neuron raises most and lowers most, with that sign, on one scale."""
    sign = sign or raising(result)
    figure = make_subplots(1, 2, horizontal_spacing=0.28)
    rows = max(len(result.top_tokens), len(result.bottom_tokens))
    ends = ((result.top_tokens, result.top_logits), (result.bottom_tokens, result.bottom_logits))
    sides = [(tokens, sign * logits) for tokens, logits in ends[::sign]]
    left = style.label_width([style.short(t, LETTERS) for t in sides[0][0]])
    below = 52 if sign > 0 else 68
    figure.update_layout(style.frame(22 * rows + 32 + below, left, 32, below, 12))
    most = max(float(np.abs(logits).max(initial=1e-6)) for _, logits in sides)
    for column, ((tokens, logits), up) in enumerate(zip(sides, (1, -1), strict=True), start=1):
        _bars(figure, result, tokens, logits, column)
        near = up * min(0.0, float((up * logits).min(initial=0.0)))
        figure.update_xaxes(range=[near, up * 1.5 * most], nticks=3, showgrid=False, col=column)
        title = "logit per unit" + ("" if sign > 0 else " of<br>negative activation")
        figure.update_xaxes(title=title, col=column)
    figure.update_yaxes(title="token", col=1)
    for axis, title in (
        (figure.layout.xaxis, "raised most"),
        (figure.layout.xaxis2, "lowered most"),
    ):
        style.heading(figure, f"<b>{title}</b>", axis.domain[0], 1)
    return figure


def _bars(
    figure: go.Figure,
    result: DirectEffect,
    tokens: tuple[str, ...],
    logits: np.ndarray,
    column: int,
) -> None:
    rows = list(range(len(tokens)))
    most = float(np.abs(logits).max(initial=1e-6))
    figure.add_bar(
        x=logits.round(3).tolist(),
        y=rows,
        orientation="h",
        width=0.72,
        marker={"color": [_colour(result, t) for t in tokens], "line": {"width": 0}},
        text=[style.signed(v, int(most < WHOLE)) for v in logits],
        textposition="outside",
        textfont={"size": 11},
        customdata=[
            [style.visible(t), style.signed(v, 3)] for t, v in zip(tokens, logits, strict=True)
        ],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
        cliponaxis=False,
        row=1,
        col=column,
    )
    figure.update_yaxes(**style.rows([style.short(t, LETTERS) for t in tokens]), row=1, col=column)


def _colour(result: DirectEffect, token: str) -> str:
    if token == result.foil:
        return style.FOIL
    return style.TARGET if token in (*result.variants, result.target) else style.OTHER
