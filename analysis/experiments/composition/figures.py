"""Figures of experiment 11: how a neuron's effect reaches the logits."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import style
from analysis.experiments.composition.compute import Composition

SHOWN = 6
"""Later heads and neurons that get a bar of their own."""

BAR = 26  # pixels a row
UNIT = "logit difference, change in logits"
DIRECT, HEADS, NEURONS, TOTAL = "direct write", "other heads", "other neurons", "total"
REST = {
    "later norms": "post_norms",
    "final norm": "norm",
    "logit cap": "cap",
    "later tokens": "behind",
}
"""Parts of the total that no component writes; only the final norm's is in every model."""

SPLIT = ("direct", "indirect", "total")


def composition(result: Composition) -> go.Figure:
    """A waterfall from the direct write to the total, and the same split of control neurons."""
    steps = waterfall(result)
    rows, below = len(steps), len(SPLIT)
    top, bottom, gap = 12, 48, 56
    height = BAR * (rows + below) + gap + top + bottom
    figure = make_subplots(
        2,
        1,
        row_heights=[rows, below],
        vertical_spacing=gap / (height - top - bottom),
        shared_xaxes="all",
    )
    names = [name for name, *_ in steps]
    left = style.label_width(names) + 22
    figure.update_layout(style.frame(height, left, top, bottom, 12))
    limits = _limits(result, steps)
    _bars(figure, steps, limits)
    _paths(figure, steps)
    _strip(figure, result)
    _axes(figure, names, limits)
    style.note(
        figure,
        style.key(
            (style.TARGET, "for the target", "■"),
            (style.FOIL, "against it", "■"),
            (style.OTHER, "its path alone", "❘"),
        ),
    )
    _legend_of_strip(figure, result)
    return figure


def waterfall(result: Composition) -> list[tuple[str, float, float, float | None]]:
    """(name, begin, end, end of its single path) of every step, from nothing to the total.

    The sum is exact: what is not shown by name is in the other heads and neurons.
    """
    full, alone = result.full(), result.alone()
    named = result.components[:SHOWN]
    values: list[tuple[str, float, float | None]] = [(DIRECT, float(result.direct[0]), None)]
    values += [(name, full[name], alone[name]) for name in named]
    for label, kind in ((HEADS, "heads"), (NEURONS, "neurons")):
        mine = [name for name in named if ("H" in name) == (kind == "heads")]
        rest, path = (
            float(getattr(components, kind).sum()) - sum(components[name] for name in mine)
            for components in (full, alone)
        )
        if getattr(full, kind).size > len(mine):
            values.append((label, rest, path))
    for label, name in REST.items():
        part = getattr(result, name)
        if name == "norm" or part.any():
            values.append((label, float(part[0]), None))
    ends = np.cumsum([value for _, value, _ in values]).tolist()
    steps: list[tuple[str, float, float, float | None]] = [
        (name, begin, end, None if path is None else begin + path)
        for (name, _, path), begin, end in zip(values, [0.0, *ends], ends, strict=False)
    ]
    return [*steps, (TOTAL, 0.0, float(result.total[0]), None)]


def _limits(
    result: Composition, steps: list[tuple[str, float, float, float | None]]
) -> list[float]:
    """One range for both panels, with room for the numbers at the bars' ends."""
    values = [0.0, *(x for _, *ends in steps for x in ends if x is not None)]
    for array in (result.total, result.direct, result.indirect, *_control_rows(result)):
        values += array.ravel().tolist()
    low, high = min(values), max(values)
    room = (high - low) or 1.0
    return [low - 0.05 * room, high + 0.17 * room]


def _bars(
    figure: go.Figure, steps: list[tuple[str, float, float, float | None]], limits: list[float]
) -> None:
    changes = [end - begin for _, begin, end, _ in steps]
    figure.add_bar(
        x=[round(change, 4) for change in changes],
        base=[round(begin, 4) for _, begin, *_ in steps],
        y=list(range(len(steps))),
        orientation="h",
        width=0.66,
        marker={
            "color": [style.TARGET if change >= 0 else style.FOIL for change in changes],
            "line": {"width": 0},
        },
        customdata=[
            [name, style.signed(change, 3), _label(begin, path)]
            for (name, begin, _, path), change in zip(steps, changes, strict=True)
        ],
        hovertemplate="%{customdata[0]}: %{customdata[1]} logits%{customdata[2]}<extra></extra>",
        row=1,
        col=1,
    )
    for row, ((name, begin, end, path), change) in enumerate(zip(steps, changes, strict=True)):
        number = style.signed(change)
        figure.add_annotation(
            x=max(begin, end, begin if path is None else path),
            y=row,
            text=f"<b>{number}</b>" if name in (DIRECT, TOTAL) else number,
            xanchor="left",
            xshift=8 if path is not None else 5,
            font={"size": 11},
            row=1,
            col=1,
        )
        if row < len(steps) - 1:
            figure.add_shape(
                type="line", x0=end, x1=end, y0=row - 0.33, y1=row + 1.33, row=1, col=1
            )


def _label(begin: float, path: float | None) -> str:
    return "" if path is None else f"<br>its path alone: {style.signed(path - begin, 3)}"


def _paths(figure: go.Figure, steps: list[tuple[str, float, float, float | None]]) -> None:
    """Where each bar would end if the component had read the neuron's change alone."""
    marked = [(row, path, name) for row, (name, _, _, path) in enumerate(steps) if path is not None]
    figure.add_scatter(
        x=[round(path, 4) for _, path, _ in marked],
        y=[row for row, *_ in marked],
        mode="markers",
        marker={
            "symbol": "line-ns-open",
            "size": 20,
            "color": style.OTHER,
            "line": {"width": 2},
        },
        hoverinfo="skip",
        row=1,
        col=1,
    )


def _control_rows(result: Composition) -> list[np.ndarray]:
    """Direct, indirect and total effects of the control neurons, denoising."""
    total, direct = result.control_total[0], result.control_direct[0]
    return [direct, total - direct, total]


def _strip(figure: go.Figure, result: Composition) -> None:
    """Direct, indirect and total of the neuron, both ways, and of its controls."""
    count = len(result.controls)
    jitter = np.linspace(-0.28, 0.28, count) if count > 1 else np.zeros(count)
    for row, (name, values) in enumerate(zip(SPLIT, _control_rows(result), strict=True)):
        figure.add_scatter(
            x=values.round(4).tolist(),
            y=(row + jitter).round(3).tolist(),
            mode="markers",
            marker={"color": style.OTHER, "size": 5, "opacity": 0.7},
            customdata=[
                [who, name, style.signed(x, 3)]
                for who, x in zip(result.controls, values, strict=True)
            ],
            hovertemplate="%{customdata[0]}: %{customdata[1]} %{customdata[2]}<extra></extra>",
            row=2,
            col=1,
        )
    own = np.stack([result.direct, result.indirect, result.total])
    marks = (("denoising", "circle", 0), ("noising", "diamond-open", 2))
    for direction, (label, symbol, wide) in enumerate(marks):
        figure.add_scatter(
            x=own[:, direction].round(4).tolist(),
            y=list(range(len(SPLIT))),
            mode="markers",
            marker={"color": style.TRUE, "size": 10, "symbol": symbol, "line": {"width": wide}},
            customdata=[
                [name, style.signed(x, 3)] for name, x in zip(SPLIT, own[:, direction], strict=True)
            ],
            hovertemplate=f"{result.neuron}, {label}: "
            "%{customdata[0]} %{customdata[1]}<extra></extra>",
            row=2,
            col=1,
        )


def _legend_of_strip(figure: go.Figure, result: Composition) -> None:
    """What the marks of the lower panel stand for, written above it."""
    signs = (
        style.swatch(style.TRUE, f"{result.neuron} put in"),
        style.swatch(style.TRUE, "taken out", "◇"),
        style.swatch(style.OTHER, f"{len(result.controls)} of its layer", "•"),
    )
    top, shift = figure.layout.yaxis2.domain[1], 8 - figure.layout.margin.l
    style.heading(figure, "  ".join(signs), 0, top, xshift=shift, yshift=6)


def _axes(figure: go.Figure, names: list[str], limits: list[float]) -> None:
    figure.update_yaxes(title="head or neuron", **style.rows(names), row=1, col=1)
    figure.update_yaxes(**style.rows(SPLIT), row=2, col=1)
    figure.update_xaxes(range=limits, zerolinewidth=2)
    figure.update_xaxes(title=UNIT, row=2, col=1)
