"""Panels of bars that sum to a total: the largest parts by name, the rest as one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots

from analysis.drawing import style

REST, TOTAL = "everything else", "sum"
GAP, HEAD, PITCH = 20, 44, 14
"""Pixels under a panel's last row, above its first one, and for every bar of a row."""

COLOURS = (style.CLEAN, style.CORRUPTED, style.OTHER)
NAMES = ("clean", "corrupted", "matched neuron")


@dataclass(frozen=True)
class Bars:
    """One reading and what makes it.

    Attributes:
        title: lines that say what is read, already escaped.
        names: of the rows: parts, everything else, and the sum.
        values: one series for the clean prompt, one for the corrupted one, and, where there is a
            control, one for it.
    """

    title: tuple[str, ...]
    names: tuple[str, ...]
    values: Float[np.ndarray, "series row"]


def split_out(
    components: Sequence[str],
    contributions: Float[np.ndarray, "series component"],
    neuron: str,
    neuron_contributions: Float[np.ndarray, " series"],
) -> tuple[tuple[str, ...], Float[np.ndarray, "series part"]]:
    """The same parts with a single neuron told apart from its MLP."""
    mlp = "MLP " + neuron.split("N")[0].removeprefix("L")
    if mlp not in components:
        return tuple(components), contributions
    place = list(components).index(mlp)
    rest = contributions.copy()
    rest[:, place] -= neuron_contributions
    names = [f"rest of {mlp}" if name == mlp else name for name in components]
    return (*names, neuron), np.concatenate([rest, neuron_contributions[:, None]], 1)


def panel(
    title: tuple[str, ...],
    names: Sequence[str],
    contributions: Float[np.ndarray, "series component"],
    most: int,
) -> Bars:
    """The parts that differ most between the first two series, the others summed, and the total."""
    order = np.argsort(-np.abs(contributions[0] - contributions[1]), kind="stable")[:most]
    rest = np.setdiff1d(np.arange(len(names)), order)
    rows = [*(names[i] for i in order), *([REST] if len(rest) else []), TOTAL]
    columns = [contributions[:, order], contributions.sum(1, keepdims=True)]
    if len(rest):
        columns.insert(1, contributions[:, rest].sum(1, keepdims=True))
    return Bars(title, tuple(rows), np.concatenate(columns, 1))


def draw(panels: Sequence[Bars], unit: str) -> go.Figure:
    """The panels under each other, on one scale, each row with a bar per series."""
    pitch = PITCH * max(len(p.values) for p in panels) + 6
    heights = [HEAD + pitch * len(p.names) + GAP for p in panels]
    total = sum(heights)
    figure = make_subplots(len(panels), 1, shared_xaxes=False, vertical_spacing=0)
    left = style.label_width([name for p in panels for name in p.names]) + 18
    figure.update_layout(style.frame(total + 48, left, 0, 48, 12))
    top = total
    for row, (one, height) in enumerate(zip(panels, heights, strict=True), start=1):
        axis = figure.get_subplot(row, 1).yaxis
        axis.domain = [(top - height + GAP) / total, (top - HEAD) / total]
        _panel(figure, one, row)
        top -= height
    low = min(0.0, *(float(p.values.min()) for p in panels))
    high = max(0.0, *(float(p.values.max()) for p in panels))
    room = 0.27 * (high - low) + 1e-6  # for a number beside the longest bar, on a phone too
    figure.update_xaxes(
        range=[low - (room if low < 0 else 0), high + room], nticks=6, zerolinewidth=2
    )
    figure.update_xaxes(title=unit, row=len(panels))
    return figure


def _panel(figure: go.Figure, panel: Bars, row: int) -> None:
    series = len(panel.values)
    width = 0.88 / series
    rows = np.arange(len(panel.names))
    for index, values in enumerate(panel.values):
        shift = (index - (series - 1) / 2) * width
        figure.add_bar(
            x=values.astype(float).round(4).tolist(),
            y=(rows + shift).round(3).tolist(),
            orientation="h",
            width=0.92 * width,
            marker={"color": COLOURS[index], "line": {"width": 0}},
            text=[style.signed(v) for v in values] if index < 2 else None,
            textposition="outside",
            textfont={"size": 10},
            constraintext="none",
            customdata=[[n, style.signed(v, 3)] for n, v in zip(panel.names, values, strict=True)],
            hovertemplate=f"%{{customdata[0]}}, {NAMES[index]}: %{{customdata[1]}}<extra></extra>",
            cliponaxis=False,
            row=row,
            col=1,
        )
    names = [f"<b>{name}</b>" if name == TOTAL else name for name in panel.names]
    figure.update_yaxes(title="head, MLP, neuron", **style.rows(names), row=row, col=1)
    _frame(figure, panel, row)


def _frame(figure: go.Figure, panel: Bars, row: int) -> None:
    """The panel's title, and the line that parts stand above and their sum below."""
    axis = figure.get_subplot(row, 1).yaxis
    shift = {"xshift": 8 - figure.layout.margin.l, "yshift": 2}
    style.heading(figure, "<br>".join(panel.title), 0, axis.domain[1], **shift, align="left")
    place = len(panel.names) - 1.5
    domain = f"x{row if row > 1 else ''} domain"
    figure.add_shape(
        type="line", x0=0, x1=1, y0=place, y1=place, xref=domain, yref=f"y{row if row > 1 else ''}"
    )


def legend(figure: go.Figure, *names: str) -> None:
    """What the colours stand for, above all panels; at most two in a line."""
    marks = [style.swatch(c, name, "■") for c, name in zip(COLOURS, names, strict=False)]
    style.note(figure, "   ".join(marks[:2]), *marks[2:])
