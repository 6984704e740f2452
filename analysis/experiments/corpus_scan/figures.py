"""Figures of experiment 8: whether a neuron's activation on text tells where the target comes."""

import numpy as np
import plotly.graph_objects as go

from analysis.criteria import FEW_OCCURRENCES
from analysis.drawing import style
from analysis.experiments.corpus_scan.compute import CorpusScan
from analysis.experiments.corpus_scan.facts import often_enough
from analysis.experiments.corpus_scan.followed import EDGES, LABELS

COLOURS = (style.OTHER, style.TARGET, style.TRUE)
"""Of the labels. Which of two words comes is neither's own."""
OF_WORDS = (style.TARGET, style.FOIL)
APART = 0.12  # bands; half the distance between the two words' marks
MODEL = "the model itself"


def corpus_scan(result: CorpusScan) -> go.Figure:
    """Shares of tokens before target and foil by band of activation, with intervals.

    A word that never comes has no share to draw, and one that seldom does intervals as wide as the
    figure: that is said.
    """
    counts = (result.next_count, result.foil_count)
    if max(counts) < FEW_OCCURRENCES:
        return style.nothing()
    figure = style.canvas(400, left=60)
    words = [style.short(word) for word in (result.target, result.foil)]
    says = [_comes(count) for count in counts]
    for word, (colour, count) in enumerate(zip(OF_WORDS, counts, strict=True)):
        if count < FEW_OCCURRENCES:
            continue
        _curve(figure, result, word, colour)
        rate = count / max(result.known, 1)
        figure.add_hline(y=rate, line={"color": colour, "width": 1.5, "dash": "dot"})
    edges = range(len(result.band_edges))
    sizes = np.diff((0.0, *EDGES, 1.0))
    figure.update_yaxes(title="share of tokens", tickformat=".2~%", rangemode="tozero")
    figure.update_xaxes(
        title="activation; bands hold " + ", ".join(f"{100 * s:.0f}" for s in sizes) + " %",
        tickvals=[edge - 0.5 for edge in edges],
        ticktext=[style.plain(value) for value in result.band_edges],
        range=[-0.9, len(edges) - 1.4],  # the first edge stands clear of the other axis
        autotickangles=[0, -45],  # the last is not cut where all are turned
        zeroline=False,
    )
    style.note(
        figure,
        *(
            style.swatch(colour, f"{word} {said}")
            for colour, word, said in zip(OF_WORDS, words, says, strict=True)
        ),
        "bars: 95 % intervals over articles; dotted: over all tokens",
    )
    return figure


def _comes(count: int) -> str:
    if count >= FEW_OCCURRENCES:
        return "really comes next"
    return f"comes too seldom to draw ({count})" if count else "never comes"


def _curve(figure: go.Figure, result: CorpusScan, word: int, colour: str) -> None:
    filled = np.flatnonzero(result.band_tokens)
    shares, low, high = result.band_share[word, filled].T
    rows = zip(
        result.band_edges[filled],
        result.band_edges[filled + 1],
        shares,
        result.band_hits[word, filled],
        result.band_tokens[filled],
        result.band_documents[word, filled],
        strict=True,
    )
    figure.add_scatter(
        x=(filled + APART * (2 * word - 1)).tolist(),
        y=shares.round(5).tolist(),
        mode="markers",
        marker={"color": colour, "size": 7},
        error_y=style.whiskers(colour, shares, low, high, digits=5, thickness=1.2),
        customdata=[
            [style.plain(a), style.plain(b), style.percent(s), f"{h:,} of {t:,}", int(d)]
            for a, b, s, h, t, d in rows
        ],
        hovertemplate="activation %{customdata[0]} to %{customdata[1]}: %{customdata[2]} "
        "(%{customdata[3]}, in %{customdata[4]} articles)<extra></extra>",
    )


def corpus_auc(result: CorpusScan) -> go.Figure:
    """How well the model and each neuron tell the places of the target, with intervals."""
    if not often_enough(result):
        return style.nothing()
    names = [MODEL, *result.neurons]
    areas = np.concatenate([result.model_auc[None], result.auc])
    figure = style.canvas(90 + 84 * len(names), left=style.label_width(names) + 20, right=20)
    target = style.short(result.target)
    meanings = (
        f"where {target} is the model’s first choice",
        f"where {target} really comes next",
        f"which of {target} and {style.short(result.foil)} comes next",
    )
    for column, (label, colour) in enumerate(zip(LABELS, COLOURS, strict=True)):
        known = areas[:, result.labels.index(label)]
        defined = np.isfinite(known[:, 0]) & (label in often_enough(result))
        area, low, high = known[defined].T
        places = np.arange(len(names))[defined] + 0.26 * (column - 1)
        figure.add_scatter(
            x=area.round(4).tolist(),
            y=places.tolist(),
            mode="markers+text",
            marker={"color": colour, "size": 9},
            text=[style.plain(value) for value in area],
            textposition="top center",
            textfont={"size": 11},
            error_x=style.whiskers(colour, area, low, high, digits=5, thickness=1.2),
            hovertemplate="AUC %{x:.3f}<extra></extra>",
            cliponaxis=False,
        )
    figure.add_vline(x=0.5, line={"color": style.OTHER, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(
        title="AUC of activation, and of the model",
        range=[-0.02, 1.06],
        zeroline=False,
    )
    figure.update_yaxes(title="neuron", **style.rows(names, -0.6, 0.4))
    style.note(
        figure,
        *(
            style.swatch(colour, meaning)
            for label, colour, meaning in zip(LABELS, COLOURS, meanings, strict=True)
            if label in often_enough(result)
        ),
        "bars: 95 % intervals over articles; dotted: a coin",
    )
    return figure
