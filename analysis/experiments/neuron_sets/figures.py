"""Figures of experiment 22: recovery against the size of a set."""

from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import marks, style
from analysis.experiments.neuron_sets.measured import ORDERS, NeuronSets

LOOKS = {
    "exact": (style.OTHER, 6, "by patching each alone"),
    "attribution": (style.FOIL, 2, "by the gradient"),
    "greedy": (style.TARGET, 2, "greedy"),
}
"""Colour, width of the curve and name of each order; the first is often the next but for little,
and is seen beneath it."""
CEILING = 1.6
"""The plots end here, either way: beyond, sets fit what is peculiar to a pair."""

PANEL, GAP, TOP, BOTTOM = 230, 56, 12, 48  # pixels
MEASURES = ("recovery (share of the gap)", "lost (share of the gap)")


def neuron_sets(result: NeuronSets) -> go.Figure:
    """What sets bring back above, what they take away below, with controls and all neurons."""
    height = 2 * PANEL + GAP + TOP + BOTTOM
    space = GAP / (2 * PANEL + GAP)
    figure = make_subplots(2, 1, vertical_spacing=space, shared_xaxes=False)
    figure.update_layout(style.frame(height, 56, TOP, BOTTOM, 14))
    for measure, title in enumerate(MEASURES):
        row = {"row": measure + 1, "col": 1}
        for drawn in result.controls[:, measure]:
            marks.spread(figure, result.control_sizes.tolist(), drawn, **row)
        for order in range(len(ORDERS)):
            _curve(figure, result, order, measure, row)
        _everything(figure, result.neurons, float(result.everything[measure]), row)
        shown = _range(
            result.shares[measure], result.everything[measure], result.controls[:, measure]
        )
        figure.update_yaxes(title=title, **shown, **row)
    figure.update_xaxes(**_sizes(result))
    figure.update_xaxes(title="neurons in the set", row=2, col=1)
    style.note(figure, *_legend(result))
    return figure


def _legend(result: NeuronSets) -> list[str]:
    draws = result.controls.shape[2]
    lines = [(colour, name, "▬") for colour, _, name in LOOKS.values()]
    shown = max(np.abs(result.shares).max(), np.abs(result.everything).max())
    return [
        style.key(*lines[::-1]),
        style.key(
            (style.FAINT, f"{draws} random and {draws} matched sets", "■"),
            (style.TRUE, "all neurons", "◆"),
        ),
        *[f"what lies beyond {CEILING} is cut off"] * bool(shown > CEILING),
    ]


def _range(*shown: npt.ArrayLike) -> dict[str, Any]:
    """What holds all that is shown, up to the ceiling."""
    shares = np.concatenate([np.ravel(each) for each in shown])
    low, high = min(0.0, float(shares.min())), min(max(1.0, float(shares.max())), CEILING)
    room = 0.05 * (high - max(low, -CEILING))
    return {"range": [max(low, -CEILING) - room, high + room], "zerolinewidth": 2}


def _sizes(result: NeuronSets) -> dict[str, Any]:
    """A logarithmic axis from one neuron to all of them."""
    ticks = [k for k in (1, 2, 5, 10, 20, 50, 100, 300, 1000) if k < 0.6 * result.neurons]
    end = max(result.neurons, 2)
    return {
        "type": "log",
        "tickvals": [*ticks, result.neurons],
        "ticktext": [*(f"{k:,}" for k in ticks), "all"],
        "range": [-0.08, float(np.log10(end)) + 0.12],
        "showgrid": False,
    }


def _curve(
    figure: go.Figure, result: NeuronSets, order: int, measure: int, row: dict[str, int]
) -> None:
    colour, width, name = LOOKS[ORDERS[order]]
    shares, names = result.shares[measure, order], result.order[order].tolist()
    figure.add_scatter(
        x=result.sizes.tolist(),
        y=shares.round(4).tolist(),
        mode="lines+markers",
        line={"color": colour, "width": width},
        marker={"color": colour, "size": width + 3},
        ids=[f"{'lost.' * measure}{ORDERS[order]}.{k}" for k in result.sizes],
        customdata=[
            [int(k), style.plain(share, 3), result.name(names[k - 1])]
            for k, share in zip(result.sizes, shares, strict=True)
        ],
        hovertemplate=f"{name}, %{{customdata[0]}} neurons: %{{customdata[1]}}<br>"
        "the last of them %{customdata[2]}<extra></extra>",
        **row,
    )


def _everything(figure: go.Figure, size: int, share: float, row: dict[str, int]) -> None:
    figure.add_scatter(
        x=[size],
        y=[round(share, 4)],
        mode="markers",
        marker={"color": style.TRUE, "size": 10, "symbol": "diamond"},
        customdata=[[f"{size:,}", style.plain(share, 3)]],
        hovertemplate="all %{customdata[0]} neurons: %{customdata[1]}<extra></extra>",
        **row,
    )


def neuron_sets_held_out(result: NeuronSets) -> go.Figure:
    """The same sets in other pairs, with intervals, beside the pair that chose them."""
    if not result.held_out:
        return style.nothing()
    figure = style.canvas(300, left=56, right=14)
    own = result.at_control_sizes[0, -1]
    sizes = result.control_sizes
    figure.add_scatter(
        x=sizes.tolist(),
        y=own.round(4).tolist(),
        mode="lines",
        line={"color": style.TARGET, "width": 1, "dash": "dash"},
        hoverinfo="skip",
    )
    shifts = ((ORDERS.index("exact"), 1.06), (ORDERS.index("greedy"), 0.94))
    bounds = [_held_out(figure, result, order, shift) for order, shift in shifts]
    together = result.over_pairs(result.held_out_everything[:, 0])
    _everything(figure, result.neurons, together.mean, {})
    figure.update_yaxes(title=MEASURES[0], **_range(own, *bounds, together.mean))
    figure.update_xaxes(title="neurons in the set", **_sizes(result))
    style.note(
        figure,
        style.key(
            (style.TARGET, "greedy"),
            (style.OTHER, "by patching each alone"),
            (style.TRUE, "all neurons", "◆"),
        ),
        f"{len(result.held_out)} held-out pairs together, 95 % intervals",
        style.swatch(style.TARGET, "greedy on the pair that chose it", "╌"),
    )
    return figure


def _held_out(figure: go.Figure, result: NeuronSets, order: int, shift: float) -> np.ndarray:
    """Marks a little aside, so that the orders do not cover each other; returns what is shown."""
    colour, _, name = LOOKS[ORDERS[order]]
    means, low, high = result.held_out_shares[0, order].T
    figure.add_scatter(
        x=(result.control_sizes * shift).round(3).tolist(),
        y=means.round(4).tolist(),
        mode="markers",
        marker={"color": colour, "size": 8},
        error_y=style.whiskers(colour, means, low, high),
        customdata=[
            [f"{k:,}", *(style.plain(v, 3) for v in values)]
            for k, *values in zip(result.control_sizes.tolist(), means, low, high, strict=True)
        ],
        hovertemplate=f"{name}, %{{customdata[0]}} neurons on held-out pairs: %{{customdata[1]}} "
        "[%{customdata[2]}, %{customdata[3]}]<extra></extra>",
    )
    bounds = np.concatenate([means, low, high])
    return np.asarray(bounds[np.isfinite(bounds)])
