"""Figures of experiment 3: which component, at which position, carries the difference."""

from collections.abc import Iterator
from itertools import groupby

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import style
from analysis.drawing.labels import beside_cell, pair_tokens, spread, thinned
from analysis.drawing.style import LINE
from analysis.experiments.patching.compute import Patching

LARGE = 0.4
NAMED = 0.2
"""A head has its name beside it from this share of the largest on."""

MOST_TICKS = 8
DIRECTIONS = ("clean into corrupted: restores", "corrupted into clean: breaks")
MLP, HEAD = "MLP{y}.{x}", "L{y}H{x}"
"""What an address calls the cells of the maps that restore: by layer, and position or head."""
BAR_TITLE = "recovery (share of the clean − corrupted gap)"


def patching(result: Patching) -> go.Figure:
    """Recovery of each component over (layer, position), denoising above noising."""
    layers, columns = result.restored.shape[1], len(result.components)
    tokens = pair_tokens(result.clean_tokens, result.corrupted_tokens)[result.start :]
    panel = min(420, max(180, 10 * layers))
    figure = make_subplots(
        2, columns, shared_xaxes=True, shared_yaxes=True, horizontal_spacing=0.03,
        vertical_spacing=60 / (2 * panel + 60),
    )  # fmt: skip
    bottom = style.label_width(tokens) + 84
    figure.update_layout(style.frame(2 * panel + 60 + 44 + bottom, 46, 44, bottom, 12))
    figure.update_layout(coloraxis=style.diverging(1.0, BAR_TITLE))
    for row, maps in enumerate((result.restored, result.broken), start=1):
        for column in range(columns):
            _map(figure, result, maps[column, :, result.start :], row, column + 1, tokens)
    figure.update_traces(meta=MLP, row=1, col=result.components.index("mlp_out") + 1)
    _axes(figure, result, tokens)
    _titles(figure, result, tokens)
    return figure


def _map(
    figure: go.Figure,
    result: Patching,
    recovery: np.ndarray,
    row: int,
    column: int,
    tokens: list[str],
) -> None:
    """One heatmap; what stands out carries its layer."""
    few = len(tokens) <= MOST_TICKS
    figure.add_heatmap(
        x=[result.start + i for i in range(len(tokens))],
        z=recovery.astype(float).round(3).tolist(),
        coloraxis="coloraxis",
        text=_cell_texts(recovery) if few else None,
        texttemplate="%{text}" if few else None,
        textfont={"size": 11, **style.ON_COLOUR},
        hovertemplate=f"{result.components[column - 1]}, layer %{{y}} (%{{x}}): "
        "recovery %{z:.3f}<extra></extra>",
        xgap=2 if few else 0,
        row=row,
        col=column,
    )
    if not few:
        _beside(figure, recovery, row, column, result.start)


def runs(recovery: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """(position, first layer, last layer) of every unbroken run of large recoveries."""
    for position in range(recovery.shape[1]):
        large = np.abs(recovery[:, position]) >= LARGE
        edges = np.flatnonzero(np.diff(np.concatenate([[0], large.astype(int), [0]])))
        for first, end in edges.reshape(-1, 2).tolist():
            yield position, first, end - 1


def _run_name(first: int, last: int, layers: int) -> str:
    """A run of layers in as few characters as tell it."""
    if first == last:
        return str(first)
    if first == 0:
        return f"≤{last}"
    return f"≥{first}" if last == layers - 1 else f"{first}–{last}"


def _cell_texts(recovery: np.ndarray) -> list[list[str]]:
    texts = [[""] * recovery.shape[1] for _ in range(recovery.shape[0])]
    for position, first, last in runs(recovery):
        texts[(first + last) // 2][position] = _run_name(first, last, len(recovery))
    return texts


def _beside(figure: go.Figure, recovery: np.ndarray, row: int, column: int, start: int) -> None:
    """Layer labels beside cells that are too narrow to hold them, of the four largest runs."""
    strength = [(np.abs(recovery[f : t + 1, p]).max(), p, f, t) for p, f, t in runs(recovery)]
    width = recovery.shape[1]
    for _, position, first, last in sorted(strength, reverse=True)[:4]:
        label = _run_name(first, last, len(recovery))
        place = (start + position, (first + last) / 2)
        beside_cell(figure, place, label, right=position < width / 2, panel=(row, column))


def _axes(figure: go.Figure, result: Patching, tokens: list[str]) -> None:
    pairs = zip(result.clean_tokens, result.corrupted_tokens, strict=True)
    differing = [i - result.start for i, (a, b) in enumerate(pairs) if a != b]
    ticks = thinned(len(tokens), MOST_TICKS, (len(tokens) - 1, *differing))
    figure.update_xaxes(
        tickvals=[result.start + i for i in ticks],
        ticktext=[tokens[i] for i in ticks],
        tickangle=-90,
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(
        **style.layer_ticks(result.restored.shape[1]), showgrid=False, zeroline=False
    )
    figure.update_xaxes(title="position (token)", row=2)
    figure.update_yaxes(title="layer", col=1)


def _titles(figure: go.Figure, result: Patching, tokens: list[str]) -> None:
    """Name each panel, and each row by its direction; say what is not drawn."""
    above = {"xref": "paper", "yref": "paper", "yanchor": "bottom"}
    for row, direction in enumerate(DIRECTIONS, start=1):
        top = figure.get_subplot(row, 1).yaxis.domain[1]
        for column, component in enumerate(result.components, start=1):
            middle = sum(figure.get_subplot(row, column).xaxis.domain) / 2
            figure.add_annotation(text=component, x=middle, y=top, xanchor="center", **above)
        bold = f"<b>{direction}</b>"
        figure.add_annotation(text=bold, x=0, y=top, xanchor="left", xshift=-38, yshift=18, **above)
    if result.start:
        style.note(figure, f"before {tokens[0]} recovery is zero (not drawn)")


def heads(result: Patching) -> go.Figure:
    """Recovery of each attention head, denoising beside noising."""
    maps = (result.heads_restored, result.heads_broken)
    layers, count = maps[0].shape
    limit = min(1.0, max(0.05, float(np.abs(maps).max())))
    figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.05)
    figure.update_layout(style.frame(_panel(layers) + 44 + 116, 46, 44, 116, 12))
    figure.update_layout(coloraxis=style.diverging(limit, BAR_TITLE))
    for column, recovery in enumerate(maps, start=1):
        _head_map(figure, recovery, limit, column)
    figure.update_traces(meta=HEAD, row=1, col=1)
    figure.update_xaxes(
        title="head", **style.layer_ticks(2 * count), showgrid=False, zeroline=False
    )
    figure.update_yaxes(**style.layer_ticks(layers), showgrid=False, zeroline=False)
    figure.update_yaxes(title="layer", col=1)
    for axis, direction in zip(
        (figure.layout.xaxis, figure.layout.xaxis2), DIRECTIONS, strict=True
    ):
        style.heading(figure, direction.replace(": ", ":<br>"), axis.domain[0], 1, align="left")
    return figure


def _panel(layers: int) -> int:
    """Pixels from the foot of a map of heads to its top."""
    return min(460, max(200, 12 * layers))


def _head_map(figure: go.Figure, recovery: np.ndarray, limit: float, column: int) -> None:
    figure.add_heatmap(
        z=recovery.astype(float).round(4).tolist(),
        coloraxis="coloraxis",
        hovertemplate="L%{y}H%{x}: recovery %{z:.3f}<extra></extra>",
        xgap=1,
        ygap=1,
        row=1,
        col=column,
    )
    named = {
        layer: [head for _, head in row]
        for layer, row in groupby(_large_heads(recovery, limit), key=lambda cell: cell[0])
    }
    pixels = _panel(len(recovery)) / len(recovery)
    wanted = [(layer + 0.5) * pixels for layer in named]
    places = spread(wanted, LINE, LINE / 2, _panel(len(recovery)) - LINE / 2)
    for (layer, heads), want, place in zip(named.items(), wanted, places, strict=True):
        _name_heads(figure, (layer, heads), place - want, recovery.shape[1], column)


def _large_heads(recovery: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """(layer, head) of the largest, in this order, of those that are large at all."""
    largest = np.argsort(-np.abs(recovery), axis=None)[:4]
    cells = (divmod(flat, recovery.shape[1]) for flat in largest.tolist())
    return sorted(cell for cell in cells if abs(recovery[cell]) >= NAMED * limit)


def _name_heads(
    figure: go.Figure, named: tuple[int, list[int]], lift: float, count: int, column: int
) -> None:
    """Name heads of a layer, neighbours in one label, which would else cover the next one."""
    layer, heads = named
    for _, run in groupby(enumerate(heads), key=lambda place: place[1] - place[0]):
        first, *others = (head for _, head in run)
        last = others[-1] if others else first
        right = last < count / 2
        name = ", ".join([f"L{layer}H{first}", *(f"H{head}" for head in others)])
        place = (last if right else first, layer)
        beside_cell(figure, place, name, right=right, panel=(1, column), lift=lift)
