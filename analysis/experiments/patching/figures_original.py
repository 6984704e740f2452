"""Figure: which layers mattered in the original's model, and which do here."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import style
from analysis.experiments.patching.compute import Patching
from analysis.original.published import at_the_end, document, same_pair

PANELS = {"attn_out": "attention", "mlp_out": "MLP"}
HEIGHT, GAP = 190, 40
COLOURS = (style.OTHER, style.TARGET)
"""Of the published curve, and of this model's."""


def beside_original(result: Patching) -> go.Figure:
    """Recovery by layer at the last position, attention above, MLPs below, by share of depth."""
    inner = 2 * HEIGHT + GAP
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=GAP / inner)
    figure.update_layout(style.frame(inner + 24 + 52, 60, 24, 52, 14))
    question = (result.clean, result.corrupted, result.target, result.foil)
    published = at_the_end(document()) if same_pair(document(), *question) else {}
    for row, (component, name) in enumerate(PANELS.items(), 1):
        here = result.restored[result.components.index(component), :, -1]
        curves = {"here": here}
        if published:
            curves = {"published, GPT-2 Large": np.array(published[component]), **curves}
        right = max(curves, key=lambda whose: curves[whose].argmax() / len(curves[whose]))
        for whose, values in curves.items():
            _curve(figure, row, name, whose, values)
            _peak(figure, row, name, whose, values, right=whose == right and bool(published))
        figure.update_yaxes(title=f"recovery, {name}", zeroline=True, row=row, col=1)
    figure.update_xaxes(range=[0, 1.1], tickformat=".0%", showgrid=False)
    figure.update_xaxes(title="share of the model’s depth", row=2, col=1)
    _legend(figure, bool(published))
    return figure


def _curve(figure: go.Figure, row: int, name: str, whose: str, values: np.ndarray) -> None:
    here = whose == "here"
    figure.add_scatter(
        x=_depth(values).round(4).tolist(),
        y=values.round(4).tolist(),
        mode="lines+markers",
        line={"color": COLOURS[here], "width": 2 if here else 1.5, "dash": ("dot", "solid")[here]},
        marker={"size": 5 if here else 8, "symbol": "circle" if here else "circle-open"},
        customdata=[[f"{name} {layer}", style.signed(v)] for layer, v in enumerate(values)],
        hovertemplate=f"{whose}, %{{customdata[0]}}: %{{customdata[1]}}<extra></extra>",
        row=row,
        col=1,
    )


def _depth(values: np.ndarray) -> np.ndarray:
    """The share of the layers that have run when each has written."""
    return np.arange(1, len(values) + 1) / len(values)


def _peak(
    figure: go.Figure, row: int, name: str, whose: str, values: np.ndarray, right: bool
) -> None:
    """Name the highest layer beside its mark, on the side where the other curve is not."""
    best = int(values.argmax())
    figure.add_annotation(
        x=_depth(values)[best],
        y=values[best],
        text=f"{name} {best}",
        font={"color": COLOURS[whose == "here"]},
        showarrow=False,
        xanchor="left" if right else "right",
        xshift=8 if right else -8,
        row=row,
        col=1,
    )


def _legend(figure: go.Figure, published: bool) -> None:
    original = [(style.OTHER, "GPT-2 Large as published, by depth", "○")] * published
    style.note(figure, style.key((style.TARGET, "here"), *original))
