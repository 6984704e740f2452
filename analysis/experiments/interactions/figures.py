"""Figure of experiment 23: every two of the best neurons together."""

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import style
from analysis.experiments.interactions.compute import Interactions

CELL = 13  # pixels
TOP, BOTTOM = 12, 124


def interactions(result: Interactions) -> go.Figure:
    """Excess of each pair over the sum, by layer; what stands in line is marked above the middle.

    Below the diagonal each pair is coloured by its excess; above it, the same place turned over, by
    what the earlier one recovers through the later.
    """
    names = list(result.neurons)
    count = len(names)
    if count < 2:
        return style.nothing()
    below = np.tril(result.excess, -1)
    values = below + np.triu(result.through, 1)
    values = np.where(np.eye(count, dtype=bool), np.nan, values)
    left = style.label_width(names)
    figure = style.canvas(CELL * count + TOP + BOTTOM, left=left, top=TOP, bottom=BOTTOM)
    limit = float(np.nanmax(np.abs(values))) or 1.0
    figure.add_heatmap(
        z=[[None if np.isnan(v) else round(float(v), 4) for v in row] for row in values],
        coloraxis="coloraxis",
        xgap=1,
        ygap=1,
        text=_texts(result),
        hovertemplate="%{text}<extra></extra>",
        hoverongaps=False,
    )
    figure.update_layout(coloraxis=style.diverging(limit, "share of the gap"))
    ticks = {"tickvals": list(range(count)), "ticktext": names, "showgrid": False}
    small = {"size": 9 if count > 12 else 11}
    figure.update_xaxes(**ticks, title="neuron", tickangle=-90, tickfont=small, zeroline=False)
    figure.update_yaxes(
        **ticks, title="neuron", range=[count - 0.5, -0.5], tickfont=small, zeroline=False
    )
    style.note(
        figure,
        "lower left: both together, less the sum",
        "upper right: the row’s neuron through the column’s",
    )
    return figure


def _texts(result: Interactions) -> list[list[str]]:
    """What a reader sees who points at a pair."""
    count = len(result.neurons)
    return [[_text(result, min(i, j), max(i, j)) for j in range(count)] for i in range(count)]


def _text(result: Interactions, first: int, second: int) -> str:
    alone = (style.plain(result.recovery[place], 3) for place in (first, second))
    names = (result.neurons[first], result.neurons[second])
    each = "<br>".join(f"{name} alone {share}" for name, share in zip(names, alone, strict=True))
    if first == second:
        return each.split("<br>")[0]
    return (
        f"{each}<br>together {style.plain(result.together[first, second], 3)}, "
        f"excess {style.signed(result.excess[first, second], 3)}: {result.kind(first, second)}<br>"
        f"{names[0]} through {names[1]}: {style.plain(result.through[first, second], 3)}"
    )
