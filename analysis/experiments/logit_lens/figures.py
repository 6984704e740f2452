"""Figure of experiment 2: where in the network the answer appears."""

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import style
from analysis.drawing.labels import end_labels
from analysis.experiments.logit_lens.compute import LogitLens
from analysis.experiments.logit_lens.facts import facts
from analysis.original.published import asks_the_same, document, lens_curve

NAMES = ("clean", "corrupted")
COLOURS = (style.CLEAN, style.CORRUPTED)


def logit_lens(result: LogitLens) -> go.Figure:
    """Logit difference by half layer of the clean and the corrupted prompt."""
    figure = style.canvas(400, left=52, right=84)
    steps = [step(result.labels, i) for i in range(len(result.labels))]
    curves = list(zip(NAMES, COLOURS, result.logit_diff, strict=False))
    if asks_the_same(document(), result.prompts[0], result.target, result.foil):
        _published(figure, len(steps))
    for name, colour, values in reversed(curves):
        _curve(figure, steps, name, colour, values)
    _axes(figure, result)
    _ends(figure, result)
    _jump(figure, result)
    return figure


def step(labels: tuple[str, ...], index: int) -> str:
    """What wrote last before a reading: ``MLP 25`` before ``26_pre``."""
    if index == 0:
        return "embedding"
    layer, point = labels[index - 1].split("_")
    return f"{'attention' if point == 'pre' else 'MLP'} {layer}"


def _published(figure: go.Figure, readings: int) -> None:
    """The original's curve, faintly; a model of other depth is laid beside it by share of depth."""
    values = np.array(lens_curve(document()))
    x = np.linspace(0, readings - 1, len(values))
    figure.add_scatter(
        x=x.round(3).tolist(),
        y=values.round(4).tolist(),
        mode="lines",
        line={"color": style.OTHER, "width": 1.5, "dash": "dot"},
        customdata=[style.signed(v) for v in values],
        hovertemplate="published, GPT-2 Large: %{customdata}<extra></extra>",
    )
    style.note(figure, style.swatch(style.OTHER, "clean, GPT-2 Large as published, by depth", "┄"))


def _curve(figure: go.Figure, steps: list[str], name: str, colour: str, values: np.ndarray) -> None:
    figure.add_scatter(
        x=list(range(len(values))),
        y=values.round(4).tolist(),
        mode="lines",
        line={"color": colour, "width": 2},
        customdata=[[text, style.signed(v)] for text, v in zip(steps, values, strict=True)],
        hovertemplate=f"{name}, after %{{customdata[0]}}: %{{customdata[1]}}<extra></extra>",
    )


def _axes(figure: go.Figure, result: LogitLens) -> None:
    layers = len(result.labels) // 2
    every = style.layer_ticks(layers)["dtick"]
    ticks = list(range(0, layers, every))
    figure.update_xaxes(
        title="layer (two readings each: after attention, after MLP)",
        tickvals=[2 * t for t in ticks],
        ticktext=list(map(str, ticks)),
        range=[-0.5, 2 * layers + 0.8],
        zeroline=False,
        showgrid=False,
    )
    low, high = min(0.0, float(result.logit_diff.min())), max(0.0, float(result.logit_diff.max()))
    room = 0.08 * (high - low) + 0.1
    target, foil = style.short(result.target), style.short(result.foil)
    figure.update_yaxes(
        title=f"logit difference {target} − {foil} (logits)",
        range=[low - room, high + room],
        zerolinewidth=2,
    )


def _ends(figure: go.Figure, result: LogitLens) -> None:
    """The model's own difference as the end of each curve, with its name."""
    own = list(zip(NAMES, COLOURS, result.model_logit_diff.tolist(), strict=False))
    last = len(result.labels) - 1
    for name, colour, value in own:
        figure.add_scatter(
            x=[last],
            y=[value],
            mode="markers",
            marker={"color": colour, "size": 10},
            hovertemplate=f"{name}, the model’s own difference: {style.signed(value)}"
            "<extra></extra>",
            cliponaxis=False,
        )
    texts = [(value, f"{name}<br><b>{style.signed(value)}</b>") for name, _, value in own]
    end_labels(figure, last, texts)


def _jump(figure: go.Figure, result: LogitLens) -> None:
    """Mark the half layer to which the lens points, on the clean curve."""
    at = facts(result).at
    if at.rise <= 0:
        return
    end, name = at.step + 1, step(result.labels, at.step + 1)
    figure.add_scatter(
        x=[at.step, end],
        y=[at.before, at.after],
        mode="lines+markers",
        line={"color": style.CLEAN, "width": 4},
        marker={"size": 7},
        customdata=[[name, style.signed(v)] for v in (at.before, at.after)],
        hoverinfo="skip",
    )
    right = end > len(result.labels) / 2
    figure.add_annotation(
        x=end,
        y=at.after,
        text=f"<b>{name}</b><br>{style.signed(at.before)} → {style.signed(at.after)}",
        showarrow=True,
        standoff=6,
        ax=-70 if right else 70,
        ay=-60,
    )
