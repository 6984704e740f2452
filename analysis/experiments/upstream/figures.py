"""Figures of experiment 10: what makes a pre-activation, along which chain, and alignment."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots

from analysis.drawing import marks, style
from analysis.drawing.contribution_bars import Bars, draw, legend, panel, split_out
from analysis.drawing.labels import pair_tokens, token_axis
from analysis.engines.mediation import Patch
from analysis.experiments.upstream.measured import Upstream

ROWS, STEP_ROWS = 7, 6
UNIT = "part of the pre-activation"
"""Of the bars."""

KINDS = (("activation", style.CLEAN, -0.18), ("answer", style.TRUE, 0.18))
DIRECTIONS = (("denoising", "circle"), ("noising", "circle-open"))
"""Of the chain: what is measured, which way it is patched, and their looks."""

PANEL, BETWEEN = 130, 30
COLOURS = (style.TRUE, style.FOIL)
"""Of the alignment: pixels of a panel and between two, and a colour for each projection."""


def upstream(result: Upstream) -> go.Figure:
    """Parts of the pre-activation for both prompts and a matched neuron, a panel a projection."""
    order = sorted(range(len(result.projections)), key=lambda i: i != result.leading)
    figure = draw([_projection(result, index) for index in order], UNIT)
    matched = [f"{name}, matched, clean prompt" for name in result.matched[:1]]
    legend(figure, "clean prompt", "corrupted prompt", *matched)
    return figure


def _projection(result: Upstream, index: int) -> Bars:
    """One projection's panel, the strongest single neuron told apart from its MLP."""
    series = _with_control(result.contributions[index], result.matched_contributions[index], result)
    names: Sequence[str] = result.components
    if result.earlier:
        single = _with_control(
            result.earlier_contributions[index], result.matched_earlier[index], result
        )[:, 0]
        names, series = split_out(names, series, result.earlier[0], single)
    name = result.projections[index]
    title = f"<b>{name}</b>: pre-activation of {result.neuron}"
    if len(result.projections) > 1:
        made, change = style.signed(result.shares[index]), style.signed(result.shares.sum())
        title = f"<b>{name}</b>: {made} of the activation’s difference of {change}"
    return panel((title,), names, series, ROWS)


def _with_control(
    own: Float[np.ndarray, "side part"], control: Float[np.ndarray, "side part"], result: Upstream
) -> Float[np.ndarray, "series part"]:
    return np.concatenate([own, control[:1]]) if result.matched else own


def upstream_steps(result: Upstream) -> go.Figure:
    """What the strongest head and the strongest earlier neuron have read themselves."""
    if not result.steps:
        return style.nothing()
    panels = [_step(result, index) for index in range(len(result.steps))]
    figure = draw(panels, "part of the reading (pre-activation)")
    legend(figure, "clean prompt", "corrupted prompt")
    return figure


def _step(result: Upstream, index: int) -> Bars:
    names, contributions = split_out(
        result.components,
        result.step_contributions[index],
        result.step_neurons[index][0],
        result.step_neuron_contributions[index][:, 0],
    )
    return panel(_step_title(result, index), names, contributions, STEP_ROWS)


def _step_title(result: Upstream, index: int) -> tuple[str, str]:
    token = pair_tokens(result.clean_tokens, result.corrupted_tokens)[result.step_positions[index]]
    name, projection = result.steps[index], result.step_projections[index]
    if projection == "value":
        return (
            f"<b>{name}</b>: what it reads at {token}",
            f"for the {result.lead} of {result.neuron}",
        )
    return (f"<b>{name}</b>: its own {projection} pre-activation", f"at {token}")


def upstream_chain(result: Upstream) -> go.Figure:
    """Shares of the gap in activation and in answer that each patch along the chain brings."""
    if len(result.chain) < 2:
        return style.nothing()
    names = [_name(patch) for patch in result.patches]
    lines = [line for name in names for line in name.split("<br>")]
    figure = style.canvas(38 * len(names) + 64, left=style.label_width(lines) + 20)
    for of, colour, shift in KINDS:
        for direction, (label, symbol) in enumerate(DIRECTIONS):
            _marks(figure, result, names, (of, direction), (colour, symbol, shift, label))
    figure.update_yaxes(title="head or neuron patched", **style.rows(names))
    figure.update_xaxes(title="share of the gap", zerolinewidth=2)
    pairs = len(result.pairs) - 1
    over = f"{pairs} held-out pairs, 95 % interval" if pairs else "the question’s pair"
    style.note(
        figure,
        style.key((style.CLEAN, f"activation of {result.neuron}"), (style.TRUE, "answer")),
        f"{over}; ● denoising, ○ noising",
    )  # fmt: skip
    return figure


def _name(patch: Patch) -> str:
    """What is patched, and below it what is held."""
    if not patch.held:
        return patch.patched
    return f"{patch.patched},<br>{'both' if len(patch.held) > 1 else patch.held[0]} held"


def _marks(
    figure: go.Figure,
    result: Upstream,
    names: list[str],
    what: tuple[str, int],
    look: tuple[str, str, float, str],
) -> None:
    (of, direction), (colour, symbol, shift, label) = what, look
    found, rows = result.mediated(direction, of), [row + shift for row in range(len(names))]
    label = f", {of}, {label}"
    marks.estimates(figure, found, names, colour, label, rows=rows, size=9, symbol=symbol)


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
