"""Figures of experiment 8: whether a neuron's activation on text tells where the target comes."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import style
from analysis.experiments.corpus_scan.compute import BIN, CorpusScan
from analysis.numbers.statistics import share_interval

ENOUGH = 20
"""Bins with fewer tokens are pooled, from the outside in, until they hold so many."""

CURVES = (("next", style.TRUE), ("foil", style.FOIL))
AREAS = (("top", style.TARGET), ("next", style.TRUE), ("which", style.FOIL))
UNIT = "activation (input of W_out), in bins of 0.2"


def corpus_scan(result: CorpusScan) -> go.Figure:
    """Shares of tokens before target and foil by bin of activation, over how many there are."""
    if not result.tokens:
        return style.message("No token was read.")
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.06)
    figure.update_layout(style.frame(470, 60, 12, 48, 12))
    for label, colour in CURVES:
        _curve(figure, result, label, colour)
        _base_rate(figure, result, label, colour)
    _sizes(figure, result)
    figure.update_yaxes(title="share of tokens", tickformat=".0%", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title="tokens (log scale)", type="log", dtick=1, row=2, col=1)
    figure.update_xaxes(title=UNIT, zeroline=False, row=2, col=1)
    figure.update_xaxes(title=None, zeroline=False, row=1, col=1)
    style.note(
        figure,
        style.swatch(style.TRUE, f"{style.short(result.target)} really comes next"),
        style.swatch(style.FOIL, f"{style.short(result.foil)} really comes next"),
        "bars: bins pooled, and 95 % intervals",
        "dotted: over all tokens",
    )
    return figure


def _shares(result: CorpusScan, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Hits and tokens with a known next one, per bin of the asked neuron."""
    hits = result.bin_next if label == "next" else result.bin_foil
    return hits[0], result.bin_known[0]


def _pooled(tokens: np.ndarray) -> list[slice]:
    """Runs of bins that hold enough tokens each, pooled from both ends towards the fullest bin."""
    left, right = [], []
    low, high, middle = 0, len(tokens), int(tokens.argmax())
    for stop in range(1, middle + 1):
        if tokens[low:stop].sum() >= ENOUGH:
            left.append(slice(low, stop))
            low = stop
    for start in range(len(tokens) - 1, middle, -1):
        if tokens[start:high].sum() >= ENOUGH:
            right.append(slice(start, high))
            high = start
    return [*left, slice(low, high), *right[::-1]]


def _curve(figure: go.Figure, result: CorpusScan, label: str, colour: str) -> None:
    hits, tokens = _shares(result, label)
    runs = [run for run in _pooled(tokens) if tokens[run].sum()]
    starts = [result.bin_start[run][tokens[run] > 0] for run in runs]
    first, last = (np.array([start[end] for start in starts]) for end in (0, -1))
    last += BIN
    found, held = (np.array([values[run].sum() for run in runs]) for values in (hits, tokens))
    shares = found / held
    ends = np.array([share_interval(int(h), int(t)) for h, t in zip(found, held, strict=True)])
    rows = zip(first, last, shares, found, held, strict=True)
    figure.add_scatter(
        x=((first + last) / 2).round(3).tolist(),
        y=shares.round(5).tolist(),
        mode="markers",
        marker={"color": colour, "size": 7},
        error_x=_whiskers((last - first) / 2, (last - first) / 2, colour),
        error_y=_whiskers(ends[:, 1] - shares, shares - ends[:, 0], colour),
        customdata=[
            [style.plain(a, 1), style.plain(b, 1), style.percent(s), f"{h:,} of {t:,}"]
            for a, b, s, h, t in rows
        ],
        hovertemplate="activation %{customdata[0]} to %{customdata[1]}: %{customdata[2]} "
        "(%{customdata[3]})<extra></extra>",
        row=1,
        col=1,
    )


def _whiskers(up: np.ndarray, down: np.ndarray, colour: str) -> dict[str, object]:
    return {
        "array": up.round(5).tolist(),
        "arrayminus": down.round(5).tolist(),
        "color": colour,
        "thickness": 1.2,
        "width": 0,
    }


def _base_rate(figure: go.Figure, result: CorpusScan, label: str, colour: str) -> None:
    hits, tokens = _shares(result, label)
    rate = float(hits.sum() / max(tokens.sum(), 1))
    line = {"color": colour, "width": 1.5, "dash": "dot"}
    figure.add_hline(y=rate, line=line, row=1, col=1)


def _sizes(figure: go.Figure, result: CorpusScan) -> None:
    tokens = result.bin_tokens[0]
    filled = np.flatnonzero(tokens)
    figure.add_bar(
        x=(result.bin_start[filled] + BIN / 2).round(3).tolist(),
        y=tokens[filled].tolist(),
        width=BIN,
        marker={"color": style.OTHER, "line": {"width": 0}},
        hovertemplate="%{y:,} tokens<extra></extra>",
        row=2,
        col=1,
    )


def corpus_auc(result: CorpusScan) -> go.Figure:
    """How well each neuron tells the tokens before the target from all others, with intervals."""
    names = list(result.neurons)
    figure = style.canvas(90 + 84 * len(names), left=style.label_width(names) + 20, right=20)
    for column, (label, colour) in enumerate(AREAS):
        area, low, high = result.auc[:, result.labels.index(label)].T
        defined = np.isfinite(area)
        places = np.arange(len(names))[defined] + 0.26 * (column - 1)
        ends = np.where(np.isfinite(low), low, area), np.where(np.isfinite(high), high, area)
        figure.add_scatter(
            x=area[defined].round(4).tolist(),
            y=places.tolist(),
            mode="markers+text",
            marker={"color": colour, "size": 9},
            text=[style.plain(value) for value in area[defined]],
            textposition="top center",
            textfont={"size": 11},
            error_x=_whiskers((ends[1] - area)[defined], (area - ends[0])[defined], colour),
            hovertemplate="AUC %{x:.3f}<extra></extra>",
            cliponaxis=False,
        )
    figure.add_vline(x=0.5, line={"color": style.OTHER, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(title="AUC of the neuron’s activation", range=[-0.02, 1.06], zeroline=False)
    figure.update_yaxes(
        title="neuron",
        tickvals=list(range(len(names))),
        ticktext=names,
        range=[len(names) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    target = style.short(result.target)
    style.note(
        figure,
        style.swatch(style.TARGET, f"where {target} is the model’s first choice"),
        style.swatch(style.TRUE, f"where {target} really comes next"),
        style.swatch(style.FOIL, f"which of {target} and {style.short(result.foil)} comes next"),
        "bars: 95 % intervals; dotted: a coin",
    )
    return figure
