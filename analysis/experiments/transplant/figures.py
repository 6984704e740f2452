"""Figures of experiment 15: the graft beside its controls, and the fit by layer."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots

from analysis.drawing import marks, style
from analysis.experiments.transplant.found import Transplant
from analysis.experiments.transplant.judged import UNCUT
from analysis.experiments.transplant.measured import GRAFT, MAPPED

ROW = 26  # pixels
NAMES = {"words": "other words", "templates": "other sentences", "natural": "other articles"}
READINGS = ("activation", "gate", "up")
COLOURS = (style.TARGET, style.TRUE, style.FOIL)
SYMBOLS = ("circle", "diamond", "square")
SIGNS = "●◆■"
ITSELF, BACK = "neuron in its donor", "cut out and put back"


def transplant(result: Transplant) -> go.Figure:
    """A row for each thing that the recipient was given, a panel for each kind of held-out text."""
    grounds, names = result.grounds, [*result.variants, *_beside(result, 0)]
    top, bottom, gap = 26, 48, 62
    height = (ROW * len(names) + gap) * len(grounds) - gap + top + bottom
    figure = make_subplots(
        len(grounds),
        1,
        shared_xaxes=True,
        vertical_spacing=gap / (height - top - bottom) if len(grounds) > 1 else 0,
        subplot_titles=[NAMES[name] for name in grounds],
    )
    left = style.label_width(names) + 22
    figure.update_layout(style.frame(height, left, top, bottom, 12), showlegend=False)
    figure.update_annotations(font_size=style.SIZE)
    for place in range(len(grounds)):
        _panel(figure, result, place)
    figure.update_xaxes(title="gain, in logits", zerolinewidth=2, row=len(grounds), col=1)
    style.note(
        figure,
        style.key(
            (style.TARGET, "the graft"),
            (style.OTHER, "controls"),
            (style.TRUE, "the neuron itself", "◆"),
        ),
    )
    return figure


def _beside(result: Transplant, place: int) -> dict[str, Float[np.ndarray, "3"]]:
    """What the neuron does in its donor, and there again after it was cut out and put back."""
    ground = result.grounds[place]
    back = [each for each in result.beside if each.same and ground in each.grounds][:1]
    rows = [each.gains[each.variants.index(GRAFT), each.grounds.index(ground), 0] for each in back]
    return {ITSELF: result.donor_effect[place], **dict(zip([BACK], rows, strict=False))}


def _panel(figure: go.Figure, result: Transplant, place: int) -> None:
    beside = _beside(result, place)
    labels = [*result.variants, *beside]
    values = np.stack([*result.gains[:, place, 0], *beside.values()])
    kinds = (
        ((GRAFT, MAPPED, BACK), style.TARGET, "circle"),
        ({*result.variants} - {GRAFT, MAPPED, UNCUT}, style.OTHER, "circle"),
        ((UNCUT, ITSELF), style.TRUE, "diamond"),
    )
    for chosen, colour, symbol in kinds:
        rows = np.flatnonzero([label in chosen for label in labels])
        marks.estimates(
            figure, values[rows], [labels[row] for row in rows], colour, rows=rows.tolist(),
            size=9, symbol=symbol, row=place + 1, col=1,
        )  # fmt: skip
    figure.update_yaxes(title="run", **style.rows(labels), row=place + 1, col=1)


def transplant_layers(result: Transplant) -> go.Figure:
    """How much of the neuron's readings each of the recipient's layers tells."""
    figure = style.canvas(300)
    layers = list(range(len(result.explained)))
    for column, (name, colour, symbol) in enumerate(zip(READINGS, COLOURS, SYMBOLS, strict=True)):
        figure.add_scatter(
            x=layers,
            y=result.explained[:, column].clip(0).round(4).tolist(),
            mode="lines+markers",
            line={"color": colour},
            marker={"color": colour, "size": 6, "symbol": symbol},
            customdata=[
                [name, layer, style.plain(value, 3)]
                for layer, value in enumerate(result.explained[:, column])
            ],
            hovertemplate="%{customdata[0]}, layer %{customdata[1]}: %{customdata[2]}"
            "<extra></extra>",
            showlegend=False,
        )
    figure.add_vline(x=result.layer, line_dash="dot", line_color=style.OTHER)
    figure.update_xaxes(title="layer of the recipient", **style.layer_ticks(len(layers)))
    figure.update_yaxes(title="share of variance explained", rangemode="tozero")
    readings = zip(COLOURS, READINGS, SIGNS, strict=True)
    style.note(figure, style.key(*readings, (style.OTHER, "the graft’s layer", "┊")))
    return figure
