"""Figures of experiment 4: every neuron patched alone."""

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import marks, style
from analysis.drawing.labels import callouts
from analysis.experiments.neuron_sweep.facts import correlation
from analysis.experiments.neuron_sweep.measured import NeuronSweep, ranked
from analysis.neuron import Neuron, parse_neuron

DRAWN = 400
COMPARED = 2000
CROWD = 0.06
"""Neurons nearer to zero than this share of the largest stand too close to be named."""


def neuron_sweep(result: NeuronSweep) -> go.Figure:
    """Recovery of every neuron by layer; the many near zero as one band."""
    figure = style.canvas(420, left=52, bottom=48)
    recovery = result.recovery
    drawn = _largest(recovery, DRAWN)
    _rest(figure, recovery, drawn)
    _neurons(figure, result, drawn)
    low, high = min(0.0, float(recovery.min())), max(0.0, float(recovery.max()))
    room = 0.06 * (high - low) or 1.0
    figure.update_yaxes(
        title="recovery (share of the gap)", range=[low - room, high + room], zerolinewidth=2
    )
    layers = len(recovery)
    figure.update_xaxes(
        title="layer (neurons by number within it)",
        **style.layer_ticks(layers),
        range=[-0.7, layers - 0.3],
        showgrid=False,
        zeroline=False,
    )
    style.note(figure, *_counts(result, drawn))
    _name_extremes(figure, result)
    return figure


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Flat indices of the values largest in size."""
    return np.argsort(-np.abs(values), axis=None, kind="stable")[:count]


def _counts(result: NeuronSweep, drawn: np.ndarray) -> list[str]:
    size, exact = result.exact.size, int(result.exact.sum())
    how = "all patched exactly" if exact == size else f"{exact:,} exact, the rest estimated"
    lines = [f"{size:,} neurons, {how}", f"rounding noise: {style.power(result.noise)}"]
    if size > len(drawn):
        rest = np.delete(np.abs(result.recovery).ravel(), drawn).max()
        lines[1] += f"; dots: the {len(drawn)} largest"
        lines.append(f"the other {size - len(drawn):,} lie within ±{rest:.2g}")
    return lines


def _rest(figure: go.Figure, recovery: np.ndarray, drawn: np.ndarray) -> None:
    """A band from the lowest to the highest neuron of each layer that is no dot."""
    rest = recovery.astype(float).copy()
    rest.ravel()[drawn] = 0.0
    low, high = rest.min(1), rest.max(1)
    figure.add_bar(
        x=list(range(len(rest))),
        base=low.round(6).tolist(),
        y=(high - low).round(6).tolist(),
        width=0.9,
        marker={"color": style.FAINT, "line": {"width": 0}},
        hoverinfo="skip",
    )


def _neurons(figure: go.Figure, result: NeuronSweep, drawn: np.ndarray) -> None:
    width = result.recovery.shape[1]
    layer, index = np.divmod(drawn, width)
    values = result.recovery.ravel()[drawn]
    exact = result.exact.ravel()[drawn]
    change = result.activation_change.ravel()[drawn]
    figure.add_scatter(
        x=(layer - 0.4 + 0.8 * index / width).round(3).tolist(),
        y=values.round(5).tolist(),
        mode="markers",
        marker={
            "color": np.where(values > 0, style.TARGET, style.FOIL).tolist(),
            "size": (4 + 5 * np.sqrt(np.abs(values) / np.abs(values).max(initial=1e-9)))
            .round(1)
            .tolist(),
            "symbol": np.where(exact, "circle", "circle-open").tolist(),
        },
        customdata=[
            [
                str(Neuron(int(a), int(b))),
                style.plain(v, 4),
                "" if e else " (estimate)",
                style.plain(c, 3),
            ]
            for a, b, v, e, c in zip(layer, index, values, exact, change, strict=True)
        ],
        hovertemplate="%{customdata[0]}: recovery %{customdata[1]}%{customdata[2]}<br>"
        "its activation changes by %{customdata[3]}<extra></extra>",
    )


def _name_extremes(figure: go.Figure, result: NeuronSweep, best: int = 5, lowest: int = 2) -> None:
    """Name the best and the lowest measured neurons."""
    order = ranked(result)
    crowd = CROWD * float(np.abs(result.recovery).max())
    chosen = [n for n in order[:best] if result.recovery[n] > crowd]
    chosen += [n for n in order[len(chosen) :][-lowest:] if result.recovery[n] < -crowd]
    layers, width = result.recovery.shape
    points: dict[str, list[tuple[float, float, str]]] = {"left": [], "right": []}
    for rank, neuron in enumerate(chosen):
        value = float(result.recovery[neuron])
        x = neuron.layer - 0.4 + 0.8 * neuron.number / width
        text = f"{neuron} {style.plain(value, 3)}"
        side = "right" if neuron.layer < layers / 2 else "left"
        points[side].append((x, value, f"<b>{text}</b>" if rank == 0 else text))
    for side, found in points.items():
        callouts(figure, found, side)


def confirmation(result: NeuronSweep) -> go.Figure:
    """Recovery of the candidates on what chose them, and on held-out pairs."""
    if not len(result.held_out_gap):
        return style.nothing()
    names = list(result.candidates)
    figure = style.canvas(30 * len(names) + 64, left=style.label_width(names) + 20)
    shares = result.held_out_effect / result.held_out_gap[:, None]
    middles = np.array([each.mean for each in result.held_out_recovery])
    limits = _limits(result, shares, middles)
    marks.single_pairs(figure, shares, names, result.held_out, limits)
    label = ", held-out pairs"
    marks.estimates(figure, result.held_out_recovery, names, style.TARGET, label)
    marks.rings(figure, [_recovery_of(result, name) for name in names], names, _choosers(result))
    held = [each.mean for each in result.held_out_recovery_beside_best[1:]]
    marks.rings(
        figure,
        held,
        names[1:],
        f"with {names[0]} held",
        rows=range(1, len(names)),
        colour=style.CLEAN,
        size=9,
        symbol="diamond-open",
    )
    figure.update_yaxes(title="neuron", **style.rows(names))
    figure.update_xaxes(title="recovery (share of the gap)", range=limits, zerolinewidth=2)
    style.note(
        figure,
        style.key((style.OTHER, _choosers(result), "○"), (style.OTHER, "each pair", "•")),
        style.swatch(style.TARGET, f"{len(shares)} held-out pairs together, 95 % interval"),
        style.swatch(style.CLEAN, f"the same with {names[0]} held", "◇"),
    )
    return figure


def _limits(result: NeuronSweep, shares: np.ndarray, middles: np.ndarray) -> list[float]:
    """A range that shows every summary and nearly every pair; a tiny gap may throw a pair far."""
    chosen = [_recovery_of(result, name) for name in result.candidates]
    return style.limits([*chosen, *middles, *np.quantile(shares, [0.02, 0.98])])


def _recovery_of(result: NeuronSweep, name: str) -> float:
    return float(result.recovery[parse_neuron(name, *result.recovery.shape)])


def _choosers(result: NeuronSweep) -> str:
    many = len(result.selection)
    return "the pair that chose them" if many == 1 else f"the {many} pairs that chose them"


def attribution(result: NeuronSweep) -> go.Figure:
    """The gradient's estimate against the exact recovery of the measured neurons."""
    exact, estimate = result.recovery[result.exact], result.attribution[result.exact]
    shown = _largest(exact, COMPARED)
    names = [str(Neuron(int(a), int(b))) for a, b in np.argwhere(result.exact)[shown]]
    figure = style.canvas(440, left=56)
    low = min(0.0, float(exact.min()), float(estimate.min()))
    high = max(0.0, float(exact.max()), float(estimate.max()))
    room = 0.06 * (high - low) or 1.0
    limits = [low - room, high + room]
    figure.add_shape(type="line", x0=low, y0=low, x1=high, y1=high, line_dash="dot")
    figure.add_scatter(
        x=exact[shown].round(5).tolist(),
        y=estimate[shown].round(5).tolist(),
        text=names,
        mode="markers",
        marker={"color": style.TARGET, "size": 5},
        hovertemplate="%{text}: exact %{x:.4f}, estimate %{y:.4f}<extra></extra>",
    )
    figure.update_xaxes(title="exact recovery (share of the gap)", range=limits)
    figure.update_yaxes(title="estimate by attribution (share of the gap)", range=limits)
    counts = f"{len(exact):,} neurons, {_agreement(exact, estimate)}"
    style.note(figure, counts, "dotted: estimate = exact")
    _name_outliers(figure, exact[shown], estimate[shown], names)
    return figure


def _agreement(exact: np.ndarray, estimate: np.ndarray) -> str:
    found = correlation(estimate, exact)
    return "correlation undefined" if found is None else f"Pearson r = {style.plain(found, 3)}"


def _name_outliers(
    figure: go.Figure, exact: np.ndarray, estimate: np.ndarray, names: list[str], most: int = 4
) -> None:
    """Name the largest recoveries and the largest errors."""
    far = np.argsort(-np.abs(exact - estimate), kind="stable")[:most]
    chosen = dict.fromkeys([*range(min(most, len(exact))), *far.tolist()])
    middle = sum(figure.layout.xaxis.range) / 2
    points: dict[str, list[tuple[float, float, str]]] = {"left": [], "right": []}
    for i in chosen:
        side = "left" if exact[i] > middle else "right"
        points[side].append((float(exact[i]), float(estimate[i]), names[i]))
    for side, found in points.items():
        callouts(figure, found, side)
