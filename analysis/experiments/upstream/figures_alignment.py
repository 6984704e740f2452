"""Figure of experiment 10: alignment of the residual with the input weights, and activation."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots

from analysis.drawing import style
from analysis.drawing.labels import token_axis
from analysis.experiments.upstream.measured import Upstream

PANEL, BETWEEN = 130, 30
COLOURS = (style.TRUE, style.FOIL)


def upstream_alignment(result: Upstream) -> go.Figure:
    """Cosine, pre-activation and activation on every token of the clean prompt, on one axis."""
    labels = [style.short(token, 12) for token in result.clean_tokens]
    bottom = style.label_width(labels) + 24
    figure = make_subplots(3, 1, shared_xaxes=True, vertical_spacing=0.1)
    figure.update_layout(style.frame(3 * PANEL + 2 * BETWEEN + bottom, 60, 12, bottom, 12))
    for index, name in enumerate(result.projections):
        _line(figure, result.cosine[index, 0], labels, 1, COLOURS[index], f"cosine with {name}")
        _line(figure, result.readings[index, 0], labels, 2, COLOURS[index], name)
    _line(figure, result.activation[0], labels, 3, style.CLEAN, "activation")
    for row, title in enumerate(("neuron’s cosine", "pre-activation", "activation"), start=1):
        figure.update_yaxes(title=title, zerolinewidth=2, row=row)
    figure.update_xaxes(**token_axis(labels))
    figure.update_xaxes(title="token of the clean prompt", row=3)
    projections = zip(COLOURS, result.projections, strict=False)
    style.note(figure, style.key(*projections, (style.CLEAN, "activation")))
    return figure


def _line(
    figure: go.Figure,
    values: Float[np.ndarray, " pos"],
    labels: list[str],
    row: int,
    colour: str,
    name: str,
) -> None:
    figure.add_scatter(
        x=list(range(len(labels))),
        y=values.astype(float).round(4).tolist(),
        mode="lines+markers",
        line={"color": colour, "width": 1.5},
        marker={"size": 6, "color": colour},
        customdata=[[label, style.plain(v, 3)] for label, v in zip(labels, values, strict=True)],
        hovertemplate=f"%{{customdata[0]}}: {name} %{{customdata[1]}}<extra></extra>",
        row=row,
        col=1,
    )
