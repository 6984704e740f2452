"""Where the best neurons of several models lie, in shares of each model's depth."""

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import style
from analysis.experiments.comparison.measured import Comparison

ROW = 44  # pixels from one model to the next
SMALLEST, LARGEST = 7, 26  # pixels of a mark


def comparison_depth(result: Comparison) -> go.Figure:
    """A row a model, a mark for each of its best neurons, larger where it recovers more."""
    names = [style.escaped(name) for name in result.models]
    rows = len(names)
    figure = style.canvas(ROW * rows + 110, left=style.label_width(names) + 20, right=24)
    for best in (False, True):
        _marks(figure, result, best)
    _named(figure, result)
    figure.update_yaxes(
        tickvals=list(range(rows)), ticktext=names, range=[rows - 0.4, -0.6], showgrid=True
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
    """The best neuron's name above its mark, on the side where there is room."""
    for model, names in enumerate(result.neurons):
        depth = float(result.depth[model, 0])
        figure.add_annotation(
            text=f"<b>{names[0]}</b>",
            x=depth,
            y=model,
            yshift=20,
            xanchor="right" if depth > 0.5 else "left",
        )
