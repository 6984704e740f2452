"""The figure of experiment 11 for other pushes in the place of the neuron's write."""

from functools import partial

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import marks, style
from analysis.experiments.composition.compute import Composition
from analysis.experiments.composition.figures import SHOWN
from analysis.numbers.estimates import mean_of_groups

SHIFT = 0.22  # rows, from one mark to the next
MARKS = (
    (style.TARGET, "circle", "whole write", "●"),
    (style.TRUE, "diamond", "unembedding part", "◆"),
    (style.FOIL, "triangle-up", "the rest", "▲"),
)


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
