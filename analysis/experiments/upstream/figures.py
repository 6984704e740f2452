"""Figures of experiment 10: what makes a neuron's pre-activation, and one step further back."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from analysis.drawing import style
from analysis.drawing.contribution_bars import Bars, draw, legend, panel, split_out
from analysis.drawing.labels import pair_tokens
from analysis.experiments.upstream.measured import Upstream

ROWS, STEP_ROWS = 7, 6
UNIT = "part of the pre-activation"


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
