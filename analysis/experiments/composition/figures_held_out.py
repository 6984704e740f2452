"""Figures of experiment 11 for pairs that took no part in choosing the neuron."""

from functools import partial

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import marks, style
from analysis.experiments.composition.compute import Composition, held_out_shares
from analysis.experiments.composition.figures import SHOWN
from analysis.numbers.estimates import mean_of_groups

SHIFT = 0.22  # rows, from one mark to the next
MARKS = (
    (style.TARGET, "circle", "whole write", "●"),
    (style.TRUE, "diamond", "unembedding part", "◆"),
    (style.FOIL, "triangle-up", "the rest", "▲"),
)
"""Of other pushes in the place of the neuron's write."""


def composition_held_out(result: Composition) -> go.Figure:
    """Direct write and largest later parts as shares of the total, on pairs that chose nothing."""
    total = result.held_out_total
    if not len(total) or not total.sum():
        return style.nothing()
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
    marks.single_pairs(figure, singles, names, result.held_out, limits)
    found = [(share, *interval) for share, interval in (shares[name] for name in names)]
    marks.estimates(figure, found, names, style.TARGET, ", held-out pairs")
    marks.rings(figure, own_pair, names, "the question’s pair")
    figure.update_yaxes(title="head or neuron", **style.rows(names))
    figure.update_xaxes(title="share of the total effect", range=limits, zerolinewidth=2)
    style.note(
        figure,
        style.swatch(style.OTHER, "the question’s pair", "○"),
        style.key(
            (style.TARGET, f"{len(total)} held-out pairs together, 95 % interval"),
            (style.OTHER, "each pair", "•"),
        ),
    )
    return figure


def _limits(singles: np.ndarray, known: list[float]) -> list[float]:
    """A range that shows every summary and all pairs but those that a tiny total throws far."""
    low, high = min(known), max(known)
    near = np.clip(singles[np.isfinite(singles)], low - (high - low), high + (high - low))
    return style.limits([*known, *near])


def composition_pushes(result: Composition) -> go.Figure:
    """What the largest later components write differently for each push, over held-out pairs."""
    if not (result.held_out and result.components):
        return style.nothing()
    names = list(result.components[:SHOWN])
    figure = style.canvas(52 * len(names) + 66, left=style.label_width(names) + 20)
    _random(figure, result, len(names))
    for place, mark in enumerate(MARKS):
        _marks(figure, result, names, place, mark)
    figure.update_yaxes(title="head or neuron", **style.rows(names))
    figure.update_xaxes(title="logit difference, change in logits", zerolinewidth=2)
    style.note(
        figure,
        style.key(*((colour, name, symbol) for colour, _, name, symbol in MARKS)),
        style.swatch(style.FAINT, "random directions (95 %)", "■"),
    )
    return figure


def _random(figure: go.Figure, result: Composition, rows: int) -> None:
    """Middle 95 % of the random directions, each averaged over pairs."""
    means = result.random_components[0].mean(0)
    for row in range(rows):
        low, high = np.quantile(means[:, row], [0.025, 0.975]).tolist()
        style.band(figure, low, high, row - 0.4, row + 0.4)


def _marks(
    figure: go.Figure,
    result: Composition,
    names: list[str],
    place: int,
    mark: tuple[str, str, str, str],
) -> None:
    colour, symbol, label, _ = mark
    pairs = np.arange(len(result.held_out))
    answers = result.pushed_components[0, :, place].astype(float)
    found = [mean_of_groups(answers[:, row], pairs) for row in range(len(names))]
    rows = [row + SHIFT * (place - 1) for row in range(len(names))]
    form = partial(style.signed, digits=3)
    marks.estimates(
        figure, found, names, colour, f", {label}", rows=rows, size=9, symbol=symbol, form=form
    )
