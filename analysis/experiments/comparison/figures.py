"""Figures of experiment 14: the best neurons of each model, and how deep they lie."""

import textwrap

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import marks, style
from analysis.experiments.comparison.measured import Comparison

ROW = 24  # pixels from one neuron to the next
FEW = 3
"""Up to so many models every kept neuron has a row; of more models, only the first few."""

ROWS_OF_MANY = 3

DEPTH_ROW = 44  # pixels from one model to the next, where they are drawn by depth
SMALLEST, LARGEST = 7, 26  # pixels of a mark there
NEAR_THE_END = 0.9  # from this depth on a name in the middle would leave a narrow page


def comparison(result: Comparison) -> go.Figure:
    """Recovery on the pair that chose the neurons and on held-out pairs, model under model."""
    places = _places(result)
    rows = places[-1][0] + 1
    labels = [result.neurons[model][rank] for _, model, rank in places]
    figure = style.canvas(ROW * (rows + 1) + 64, left=style.label_width(labels) + 20, right=100)
    _points(figure, result, places)
    _numbers(figure, result, places)
    _headings(figure, result, places)
    figure.update_yaxes(
        title="neuron",
        tickvals=[y for y, _, _ in places],
        ticktext=labels,
        range=[rows - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(
        title="recovery (share of the gap)", range=_limits(result, places), zerolinewidth=2
    )
    style.note(
        figure,
        style.swatch(style.OTHER, "on the pair that chose the neurons", "○"),
        style.swatch(style.TARGET, "best neuron on held-out pairs, 95 % interval"),
        style.swatch(style.OTHER, "the next-best neurons of the model"),
    )
    _missing(figure, result)
    return figure


def _places(result: Comparison) -> list[tuple[int, int, int]]:
    """(row, model, rank of the neuron) of all that is drawn; a row stays free above each model."""
    count = len(result.models)
    shown = result.recovery.shape[1] if count <= FEW else ROWS_OF_MANY
    places, row = [], 0
    for model in range(count):
        row += 1
        for rank in range(min(shown, len(result.neurons[model]))):
            places.append((row, model, rank))
            row += 1
    return places


def _picked(values: np.ndarray, places: list[tuple[int, int, int]]) -> np.ndarray:
    return values[[model for _, model, _ in places], [rank for _, _, rank in places]].astype(float)


def _points(figure: go.Figure, result: Comparison, places: list[tuple[int, int, int]]) -> None:
    """Open rings for the pair that chose, dots with intervals for the pairs that did not."""
    chosen = _picked(result.recovery, places)
    middle, low, high = (
        _picked(values, places)
        for values in (result.held_out, result.held_out_low, result.held_out_high)
    )
    rows = [y for y, _, _ in places]
    names = [
        f"{style.escaped(result.models[model])} {result.neurons[model][rank]}"
        for _, model, rank in places
    ]
    colours = [style.OTHER if rank else style.TARGET for _, _, rank in places]
    for best in (False, True):
        which = [i for i, (_, _, rank) in enumerate(places) if (rank == 0) is best]
        marks.estimates(
            figure,
            np.column_stack([middle, low, high])[which],
            [names[i] for i in which],
            style.TARGET if best else style.OTHER,
            ", held-out pairs",
            rows=[rows[i] for i in which],
            size=10 if best else 7,
        )
    label = "the pair that chose it"
    marks.rings(figure, chosen, names, label, rows=rows, colour=colours)


def _limits(result: Comparison, places: list[tuple[int, int, int]]) -> list[float]:
    shown = (result.recovery, result.held_out, result.held_out_low, result.held_out_high)
    return style.limits([_picked(values, places) for values in shown])


def _numbers(figure: go.Figure, result: Comparison, places: list[tuple[int, int, int]]) -> None:
    """Both numbers of each neuron in the right margin."""
    for y, model, rank in places:
        chosen, middle = result.recovery[model, rank], result.held_out[model, rank]
        drawn = style.plain(middle) if np.isfinite(middle) else "–"
        text = f"{style.plain(chosen)} → {drawn}"
        style.beside(figure, y, text if rank else f"<b>{text}</b>")


def _headings(figure: go.Figure, result: Comparison, places: list[tuple[int, int, int]]) -> None:
    """Each model's name, layers and neurons on the free row above its neurons."""
    left = 24 - figure.layout.margin.l  # beside the axis' name
    for y, model, rank in places:
        if rank == 0:
            size = f"{result.layers[model]} layers, {result.n_neurons[model]:,} neurons"
            name = style.escaped(_shortened(result.models[model]))
            figure.add_annotation(
                text=f'<b>{name}</b> <span style="color:{style.OTHER}">{size}</span>',
                x=0,
                xref="paper",
                y=y - 1,
                xanchor="left",
                xshift=left,
                templateitemname=style.ON_CELLS,  # the line at zero lies beneath
                visible=True,
            )


def _shortened(name: str, longest: int = 24) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"


def _missing(figure: go.Figure, result: Comparison) -> None:
    """Names of the models that have no row, faint, under the axis."""
    if not result.missing:
        return
    names = "not measured: " + ", ".join(map(_shortened, result.missing))
    lines = [style.escaped(line) for line in textwrap.wrap(names, style.NARROW)]
    figure.layout.height += style.LINE * len(lines) + 8
    figure.layout.margin.b += style.LINE * len(lines) + 8
    figure.add_annotation(
        text="<br>".join(lines),
        x=0,
        y=0,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="top",
        xshift=8 - figure.layout.margin.l,
        yshift=-48,
        align="left",
        font={"color": style.OTHER},
    )


def comparison_depth(result: Comparison) -> go.Figure:
    """A row a model, a mark for each of its best neurons, larger where it recovers more."""
    names = [style.escaped(name) for name in result.models]
    rows = len(names)
    figure = style.canvas(DEPTH_ROW * rows + 110, left=style.label_width(names) + 20, right=24)
    for best in (False, True):
        _marks(figure, result, best)
    _named(figure, result)
    figure.update_yaxes(
        title="neurons",
        tickvals=list(range(rows)),
        ticktext=names,
        range=[rows - 0.4, -0.6],
        zeroline=False,
    )
    figure.update_xaxes(
        title="share of the blocks that have run", range=[0, 1.04], tickformat=".0%", zeroline=False
    )
    style.note(
        figure,
        style.swatch(style.TARGET, "best neuron, larger where it recovers more"),
        style.swatch(style.OTHER, "the next-best neurons of the model"),
    )
    return figure


def _marks(figure: go.Figure, result: Comparison, best: bool) -> None:
    places = [
        (model, rank)
        for model, names in enumerate(result.neurons)
        for rank in range(len(names))
        if (rank == 0) is best
    ]
    recovery = np.array([result.recovery[place] for place in places], dtype=float)
    sizes = SMALLEST + (LARGEST - SMALLEST) * np.sqrt(np.clip(recovery, 0, 1))
    figure.add_scatter(
        x=[round(float(result.depth[place]), 4) for place in places],
        y=[model for model, _ in places],
        mode="markers",
        marker={
            "color": style.TARGET if best else style.OTHER,
            "size": sizes.round(1).tolist(),
            "opacity": 0.75,
        },
        customdata=[
            [style.escaped(result.models[m]), result.neurons[m][k], style.plain(value, 3)]
            for (m, k), value in zip(places, recovery, strict=True)
        ],
        hovertemplate="%{customdata[0]} %{customdata[1]}: recovers %{customdata[2]}<extra></extra>",
    )


def _named(figure: go.Figure, result: Comparison) -> None:
    """The best neuron's name above its mark."""
    for model, names in enumerate(result.neurons):
        depth = float(result.depth[model, 0])
        figure.add_annotation(
            text=f"<b>{names[0]}</b>",
            x=depth,
            y=model,
            yshift=20,
            xanchor="right" if depth > NEAR_THE_END else "center",
        )
