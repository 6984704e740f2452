"""The figure of experiment 11 for pairs that took no part in choosing the neuron."""

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import style
from analysis.experiments.composition.compute import Composition, held_out_shares
from analysis.experiments.composition.figures import SHOWN


def composition_held_out(result: Composition) -> go.Figure:
    """Direct write and largest later parts as shares of the total, on pairs that chose nothing."""
    total = result.held_out_total
    if not len(total) or not total.sum():
        return style.message("There are no held-out pairs: the split is that of one pair alone.")
    names = ["direct", *result.components[:SHOWN]]
    shares = held_out_shares(result)
    each = np.column_stack([result.held_out_direct, result.held_out_components[:, :SHOWN]])
    singles = np.divide(
        each, total[:, None], out=np.full_like(each, np.nan), where=total[:, None] != 0
    )
    full = result.full()
    own = np.array([float(result.direct[0]), *(full[name] for name in names[1:])])
    own_pair = own / (float(result.total[0]) or np.nan)
    figure = style.canvas(30 * len(names) + 64, left=style.label_width(names) + 20)
    middles = np.array([shares[name][0] for name in names])
    limits = _limits(singles, [0.0, *middles, *own_pair[np.isfinite(own_pair)]])
    _pairs(figure, result, names, singles, limits)
    _means(figure, names, shares)
    _own_pair(figure, names, own_pair)
    figure.update_yaxes(
        title="head or neuron",
        tickvals=list(range(len(names))),
        ticktext=names,
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(title="share of the total effect", range=limits, zerolinewidth=2)
    style.note(
        figure,
        style.swatch(style.OTHER, "the question's pair", "○"),
        style.swatch(style.TARGET, f"{len(total)} held-out pairs together, 95 % interval")
        + "   "
        + style.swatch(style.OTHER, "each pair", "•"),
    )
    return figure


def _limits(singles: np.ndarray, known: list[float]) -> list[float]:
    """A range that shows every summary and all pairs but those that a tiny total throws far."""
    low, high = min(known), max(known)
    near = np.clip(singles[np.isfinite(singles)], low - (high - low), high + (high - low))
    low, high = min(low, *near), max(high, *near)
    room = 0.05 * (high - low) + 1e-6
    return [float(low - room), float(high + room)]


def _pairs(
    figure: go.Figure,
    result: Composition,
    names: list[str],
    singles: np.ndarray,
    limits: list[float],
) -> None:
    """Every held-out pair; one beyond the range is a triangle at its edge."""
    inset = 0.01 * (limits[1] - limits[0])
    low, high = limits[0] + inset, limits[1] - inset
    beyond = np.where(singles > high, "triangle-right", "triangle-left")
    inside = (low <= singles) & (singles <= high)
    jitter = np.linspace(-0.25, 0.25, len(singles))[:, None]
    figure.add_scatter(
        x=np.clip(singles, low, high).round(4).ravel().tolist(),
        y=(np.arange(len(names)) + jitter).round(3).ravel().tolist(),
        mode="markers",
        marker={
            "color": style.OTHER,
            "size": 5,
            "opacity": 0.6,
            "symbol": np.where(inside, "circle", beyond).ravel().tolist(),
        },
        customdata=[
            [name, style.plain(share, 3), text]
            for row, pair in zip(singles, result.held_out, strict=True)
            for name, share, text in zip(
                names, row, [style.wrapped(pair, 60, 4)] * len(names), strict=True
            )
        ],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<br>%{customdata[2]}<extra></extra>",
    )


def _means(
    figure: go.Figure, names: list[str], shares: dict[str, tuple[float, tuple[float, float]]]
) -> None:
    middles = [shares[name][0] for name in names]
    bounds = np.array([shares[name][1] for name in names])
    figure.add_scatter(
        x=np.round(middles, 4).tolist(),
        y=list(range(len(names))),
        mode="markers",
        marker={"color": style.TARGET, "size": 10},
        error_x=style.whiskers(style.TARGET, middles, *bounds.T),
        customdata=[
            [name, style.plain(m, 3), style.plain(low, 3), style.plain(high, 3)]
            for name, m, (low, high) in zip(names, middles, bounds, strict=True)
        ],
        hovertemplate="%{customdata[0]}, held-out pairs: %{customdata[1]} "
        "[%{customdata[2]}, %{customdata[3]}]<extra></extra>",
    )


def _own_pair(figure: go.Figure, names: list[str], own_pair: np.ndarray) -> None:
    figure.add_scatter(
        x=own_pair.round(4).tolist(),
        y=list(range(len(names))),
        mode="markers",
        marker={"color": style.OTHER, "size": 12, "symbol": "circle-open", "line": {"width": 2}},
        customdata=[[n, style.plain(v, 3)] for n, v in zip(names, own_pair, strict=True)],
        hovertemplate="%{customdata[0]}, the question's pair: %{customdata[1]}<extra></extra>",
    )
