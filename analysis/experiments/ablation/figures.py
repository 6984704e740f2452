"""Figures of experiment 5: what is lost when a neuron is taken away."""

from functools import partial

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import marks, style
from analysis.engines.replacement import METHODS
from analysis.experiments.ablation.measured import (
    MEAN,
    UNTOUCHED,
    Ablation,
    answers,
    by_activation,
    changes,
    in_set,
    matched_changes,
    over_positions,
    over_prompts,
)
from analysis.numbers.estimates import Estimate

CHANGE = "change of logit difference"
NAMES = {
    "zero": "zero",
    "mean": "mean",
    "resample": "resample",
    "negate": "negate<br>(what the<br>original did)",
    "in_template": "resample from<br>the sentence",
}
SPREAD = 0.3
"""How far a cloud of points spreads to both sides of its row."""


def ablation(result: Ablation) -> go.Figure:
    """Change of the logit difference by method, beside matched neurons; both kinds of prompts."""
    kinds = [kind for kind in (True, False) if in_set(result, kind).any()]
    if not kinds:
        return style.nothing()
    figure = make_subplots(len(kinds), 1, shared_xaxes=True, vertical_spacing=0.12)
    height = 49 * len(result.methods) * len(kinds)
    figure.update_layout(style.frame(height + 76, 104, 28, 48, 16))
    for row, kind in enumerate(kinds, start=1):
        _prompt_panel(figure, result, kind, row)
    figure.update_xaxes(showgrid=True, zeroline=True, zerolinewidth=2, range=_limits(result, kinds))
    figure.update_xaxes(title=f"{CHANGE} (logits)", row=len(kinds), col=1)
    style.note(
        figure,
        style.swatch(style.TARGET, f"{result.neuron}, mean and 95 % interval"),
        style.swatch(style.FOIL, "the same when it is negated", "◆"),
        style.swatch(style.OTHER, f"{len(result.matched)} matched neurons, ablated the same way"),
    )
    return figure


def _limits(result: Ablation, kinds: list[bool]) -> list[float]:
    values = list[float]()
    for kind in kinds:
        for method in range(len(result.methods)):
            values += _change(result, method, kind)
            values += matched_changes(result, method, kind).tolist()
    return style.limits(values, 0.06)


def _change(result: Ablation, method: int, kind: bool) -> Estimate:
    return over_prompts(result, changes(result, method), kind)


def _prompt_panel(figure: go.Figure, result: Ablation, kind: bool, row: int) -> None:
    """One kind of prompts: a row for each method; a mean that no other neuron reaches is told."""
    clouds = [matched_changes(result, method, kind) for method in range(len(result.methods))]
    farthest = np.abs(np.concatenate(clouds)).max(initial=0)
    for method, (name, cloud) in enumerate(zip(result.methods, clouds, strict=True)):
        _cloud(figure, method, cloud, list(result.matched), f"{name}: %{{x:.3f}}", row, 1)
        label = f"{result.neuron}, {name}"
        estimate = _change(result, method, kind)
        _estimate(figure, method, estimate, label, 3, row, 1)
        if abs(estimate.mean) > farthest:
            text = style.signed(estimate.mean)
            figure.add_annotation(x=estimate.mean, y=method, text=text, yshift=15, row=row, col=1)
    word = style.short(result.target if kind else result.foil)
    count = int(in_set(result, kind).sum())
    _heading(figure, f"{count} prompts that call for {word}", row, 1)
    _method_axis(figure, result.methods, row, 1)


def _method_axis(
    figure: go.Figure, methods: tuple[str, ...], row: int, col: int, shown: bool = True
) -> None:
    figure.update_yaxes(
        title="activation becomes" if shown else None,
        **style.rows([NAMES[name] for name in methods], -0.6, 0.4),
        showticklabels=shown,
        row=row,
        col=col,
    )


def _heading(figure: go.Figure, text: str, row: int, col: int) -> None:
    axis = figure.get_subplot(row, col)
    style.heading(figure, f"<b>{text}</b>", axis.xaxis.domain[0], axis.yaxis.domain[1], yshift=3)


def _cloud(
    figure: go.Figure,
    place: int,
    values: np.ndarray,
    names: list[str],
    hover: str,
    row: int,
    col: int,
) -> None:
    """Matched neurons as small points, spread evenly about their row."""
    spread = np.linspace(-SPREAD, SPREAD, max(len(values), 1))[: len(values)]
    mixed = spread[np.random.default_rng(0).permutation(len(values))]
    figure.add_scatter(
        x=values.round(5).tolist(),
        y=(place + mixed).round(3).tolist(),
        text=names,
        mode="markers",
        marker={"color": style.OTHER, "size": 5, "opacity": 0.6},
        hovertemplate="%{text}, " + hover + "<extra></extra>",
        row=row,
        col=col,
    )


def _estimate(
    figure: go.Figure, place: int, estimate: Estimate, name: str, digits: int, row: int, col: int
) -> None:
    """The neuron: its mean with its interval; in the foil's colour where it is negated."""
    negated = place == METHODS.index("negate")
    colour = style.FOIL if negated else style.TARGET
    symbol, form = "diamond" if negated else "circle", partial(style.plain, digits=digits)
    marks.estimates(
        figure,
        [estimate],
        [name],
        colour,
        rows=[place],
        symbol=symbol,
        form=form,
        digits=5,
        row=row,
        col=col,
    )


def ablation_by_activation(result: Ablation) -> go.Figure:
    """Logit difference with the neuron and without, and its change, by the neuron's activation."""
    kinds = [kind for kind in (True, False) if in_set(result, kind).any()]
    if not kinds:
        return style.nothing()
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.6, 0.4])
    figure.update_layout(style.frame(420, 60, 12, 48, 16))
    for kind in kinds:
        _marks(figure, result, kind)
    target, foil = style.short(result.target), style.short(result.foil)
    figure.update_yaxes(title=f"logit difference<br>{target} − {foil}", row=1, col=1)
    figure.update_yaxes(title="change<br>(logits)", row=2, col=1)
    figure.update_yaxes(zeroline=True, zerolinewidth=2)
    figure.update_xaxes(zeroline=True)
    figure.update_xaxes(title="activation at the end of the prompt", row=2, col=1)
    style.note(
        figure,
        style.key((style.TARGET, f"prompts that call for {target}"), (style.FOIL, f"for {foil}")),
        style.key((style.OTHER, "with the neuron"), (style.OTHER, "ablated by the mean", "○")),
    )
    return figure


def _marks(figure: go.Figure, result: Ablation, kind: bool) -> None:
    """One kind of prompts: with the neuron filled, without it hollow, and below what changes."""
    mine, colour = in_set(result, kind), style.TARGET if kind else style.FOIL
    x = result.activation[mine]
    texts = [style.wrapped(text) for text, each in zip(result.prompts, mine, strict=True) if each]
    for values, row, symbol, name in (
        (answers(result, MEAN), 1, "circle-open", "without it"),
        (answers(result, UNTOUCHED), 1, "circle", "with the neuron"),
        (changes(result, MEAN), 2, "circle", "change"),
    ):
        figure.add_scatter(
            x=x.round(3).tolist(),
            y=values[mine].round(4).tolist(),
            text=texts,
            mode="markers",
            marker={"color": colour, "size": 8, "symbol": symbol, "opacity": 0.75},
            hovertemplate=f"%{{text}}<br>activation %{{x:.2f}}, {name} %{{y:.2f}}<extra></extra>",
            row=row,
            col=1,
        )
    slope = by_activation(result, MEAN, kind).slope.mean
    if np.isfinite(slope):
        ends = np.array([x.min(), x.max()])
        line = changes(result, MEAN)[mine].mean() + slope * (ends - x.mean())
        figure.add_scatter(
            x=ends.round(3).tolist(),
            y=line.round(4).tolist(),
            mode="lines",
            line={"color": colour, "width": 2},
            hoverinfo="skip",
            row=2,
            col=1,
        )


def collateral(result: Ablation) -> go.Figure:
    """Loss and KL divergence on a corpus: before the target, and before all other tokens."""
    kinds = [kind for kind in (True, False) if (result.position_target == kind).any()]
    figure = make_subplots(
        len(kinds), 2, shared_xaxes="columns", shared_yaxes=True, horizontal_spacing=0.06,
        vertical_spacing=0.12,
    )  # fmt: skip
    figure.update_layout(style.frame(196 * len(kinds) + 76, 104, 28, 48, 16))
    losses = result.position_change, result.matched_change
    divergences = result.position_kl, result.matched_kl
    for col, (values, theirs) in enumerate((losses, divergences), start=1):
        ticks = _ticks(result, values, theirs)
        texts = [f"{tick:g}".replace("-", "−") for tick in ticks]
        figure.update_xaxes(tickvals=ticks, ticktext=texts, col=col)
        for row, kind in enumerate(kinds, start=1):
            _corpus_panel(figure, result, kind, values, theirs, row, col)
    for row, kind in enumerate(kinds, start=1):
        word = style.short(result.target)
        count = int((result.position_target == kind).sum())
        before = f"{count} tokens before " + (word if kind else f"any token but {word}")
        _heading(figure, before, row, 1)
    figure.update_xaxes(zerolinewidth=2)
    for col, title in enumerate(
        ("change of loss<br>(nats per token)", "KL<br>(nats per token)"), 1
    ):
        figure.update_xaxes(title=title, row=len(kinds), col=col)
    figure.layout.margin.b += style.LINE
    figure.layout.height += style.LINE
    compared = f"{result.position_compared.sum()} of the {len(result.position_compared)} tokens"
    style.note(
        figure,
        style.swatch(style.TARGET, f"{result.neuron}, mean and 95 % interval over documents"),
        style.swatch(style.FOIL, "the same when it is negated", "◆"),
        style.swatch(style.OTHER, f"{len(result.matched)} matched neurons, on {compared}"),
    )
    return figure


def _ticks(result: Ablation, values: np.ndarray, theirs: np.ndarray) -> list[float]:
    """Zero, and one round number to each side that has any: the panels are narrow."""
    shown = [0.0]
    for kind in (True, False):
        for row in values:
            shown += [v for v in over_positions(result, row, kind) if np.isfinite(v)]
        compared = result.position_target[result.position_compared] == kind
        if compared.any():
            shown += theirs[:, compared].mean(1).tolist()
    reach = max(1e-9, *map(abs, shown))
    power = 10.0 ** np.floor(np.log10(reach))
    step = float(max(digit * power for digit in (1, 2, 5) if digit * power <= reach * 1.001))
    return [-step, 0, step] if min(shown) < -step / 2 else [0, step]


def _corpus_panel(
    figure: go.Figure,
    result: Ablation,
    kind: bool,
    values: np.ndarray,
    theirs: np.ndarray,
    row: int,
    col: int,
) -> None:
    compared = result.position_target[result.position_compared] == kind
    if compared.any():
        cloud, place = theirs[:, compared].mean(1), METHODS.index("mean")
        _cloud(figure, place, cloud, list(result.matched), "mean: %{x:.4f}", row, col)
    for method, name in enumerate(METHODS):
        estimate = over_positions(result, values[method], kind)
        _estimate(figure, method, estimate, f"{result.neuron}, {name}", 5, row, col)
    _method_axis(figure, METHODS, row, col, col == 1)
