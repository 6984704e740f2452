"""Figure of experiment 12: answer and loss as a neuron's weights are scaled."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import style
from analysis.experiments.weight_modulation.compute import WeightModulation

NAMES, COLOURS = ("clean", "corrupted"), (style.CLEAN, style.CORRUPTED)
DASHES = {"out": "solid", "in": "dot"}
WORDS = {"out": "output weights", "in": "input weights"}
PANELS = (240, 150, 170)
GAP, TOP = 34, 32


def weight_modulation(result: WeightModulation) -> go.Figure:
    """Logit difference, probability of the target, and loss, over the factor; controls in grey."""
    height = sum(PANELS) + 2 * GAP
    figure = make_subplots(
        3,
        1,
        shared_xaxes=True,
        vertical_spacing=GAP / height,
        row_heights=[panel / sum(PANELS) for panel in PANELS],
    )
    figure.update_layout(style.frame(height + TOP + 52, 60, TOP, 52, 14))
    for row, values, controls in (
        (1, result.logit_diff, result.control_diff),
        (2, result.p_target, result.control_p),
    ):
        _controls(figure, result, controls, row)
        _answers(figure, result, values, row)
    _losses(figure, result)
    _axes(figure, result)
    _notes(figure, result)
    return figure


def _controls(figure: go.Figure, result: WeightModulation, values: np.ndarray, row: int) -> None:
    """Every control's curves as one grey trace, a gap after each."""
    curves = [
        (name, weights, values[i, j, :, k])
        for i, name in enumerate(result.controls)
        for j, weights in enumerate(result.weights)
        for k in range(len(result.prompts))
    ]
    x = [*result.factors, None] * len(curves)
    figure.add_scatter(
        x=x,
        y=[v for *_, curve in curves for v in [*curve.round(4).tolist(), None]],
        text=[f"{n}, {WORDS[w]}" for n, w, _ in curves for _ in (*result.factors, None)],
        mode="lines",
        line={"color": style.OTHER, "width": 1},
        opacity=0.5,
        hovertemplate="%{text} ×%{x}: %{y:.3f}<extra></extra>",
        row=row,
        col=1,
    )


def _answers(figure: go.Figure, result: WeightModulation, values: np.ndarray, row: int) -> None:
    for j, weights in enumerate(result.weights):
        for k in range(len(result.prompts)):
            figure.add_scatter(
                x=list(result.factors),
                y=values[j, :, k].round(4).tolist(),
                mode="lines+markers",
                line={"color": COLOURS[k], "width": 2, "dash": DASHES[weights]},
                marker={"size": 6 if weights == "out" else 4},
                hovertemplate=f"{NAMES[k]} prompt, {WORDS[weights]} ×%{{x}}: %{{y:.3f}}"
                "<extra></extra>",
                row=row,
                col=1,
            )


def _losses(figure: go.Figure, result: WeightModulation) -> None:
    """The change of the loss with intervals, the control's beside it."""
    sets = [(style.OTHER, result.controls[0], *rows) for rows in zip(
        result.control_loss_change, result.control_loss_interval, strict=True
    )]  # fmt: skip
    sets.append((style.TRUE, result.neuron, result.loss_change, result.loss_interval))
    for colour, name, changes, intervals in sets:
        for j, weights in enumerate(result.weights):
            shift = 0.05 * (j - 0.5) + (0 if name == result.neuron else 0.1)
            mean, (low, high) = changes[j], intervals[j].T
            figure.add_scatter(
                x=[round(factor + shift, 3) for factor in result.factors],
                y=mean.round(6).tolist(),
                mode="lines+markers",
                line={"color": colour, "width": 2, "dash": DASHES[weights]},
                marker={"size": 5},
                error_y=style.whiskers(colour, mean, low, high, digits=6, thickness=1),
                customdata=[
                    [f"{factor:g}", *(style.plain(v, 5) for v in values)]
                    for factor, *values in zip(result.factors, mean, low, high, strict=True)
                ],
                hovertemplate=f"{name}, {WORDS[weights]} ×%{{customdata[0]}}: "
                "%{customdata[1]} [%{customdata[2]}, %{customdata[3]}]<extra></extra>",
                row=3,
                col=1,
            )


def _axes(figure: go.Figure, result: WeightModulation) -> None:
    target, foil = style.short(result.target), style.short(result.foil)
    titles = (f"logit difference<br>{target} − {foil}", f"probability<br>of {target}",
              "change of loss<br>(nats per token)")  # fmt: skip
    for row, title in enumerate(titles, start=1):
        figure.update_yaxes(title=title, zerolinewidth=1, nticks=6, row=row, col=1)
    figure.update_yaxes(rangemode="tozero", row=2, col=1)
    low, high = result.factors[0], result.factors[-1]
    figure.update_xaxes(
        range=[low - 0.2, high + 0.2], dtick=1, zeroline=True, zerolinewidth=2, showgrid=False
    )
    figure.update_xaxes(title="factor on the weights of the neuron", row=3, col=1)
    figure.add_vline(x=1, line={"color": style.OTHER, "width": 1, "dash": "dash"})
    for x, text in ((0, "removed"), (1, "as it is"), (-1, "flipped")):
        figure.add_annotation(
            x=x, y=1, yref="paper", yanchor="bottom", yshift=3, text=text, font={"size": 11}
        )


def _notes(figure: go.Figure, result: WeightModulation) -> None:
    prompts = [
        (colour, f"{name} prompt")
        for colour, name, _ in zip(COLOURS, NAMES, result.prompts, strict=False)
    ]
    inputs = "gate and up" if result.gated else "input weights"
    grey = f"{len(result.controls)} other neurons of the layer (loss: the first)"
    style.note(
        figure,
        style.key(*prompts),
        style.swatch(style.TRUE, f"loss on {result.texts} news texts"),
        f"solid: output weights scaled; dotted: {inputs}",
        style.swatch(style.OTHER, grey, "━") if result.controls else "no other neuron to compare",
    )
