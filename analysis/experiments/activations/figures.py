"""Figures of experiment 7: on which tokens a neuron is active."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import style
from analysis.drawing.labels import end_labels, pair_tokens, stems, token_axis
from analysis.experiments.activations.compute import Activations
from analysis.experiments.activations.facts import sampled

BINS = 80
FOOT = 0.6  # tokens; where bars of the logarithmic histogram begin
UNIT = "activation (input of W_out)"


def activations(result: Activations) -> go.Figure:
    """The activation on every token of the texts asked about; a pair side by side."""
    if not result.texts:
        return style.nothing()
    return _pair(result) if is_pair(result) else _rows(result)


def is_pair(result: Activations) -> bool:
    """Whether the texts are two of equal length that share at least half of their tokens."""
    if len(result.texts) != 2 or result.lengths[0] != result.lengths[1]:
        return False
    first, second = (result.tokens[result.text(i)] for i in (0, 1))
    same = sum(a == b for a, b in zip(first, second, strict=True))
    return 2 * same >= len(first)


def _pair(result: Activations) -> go.Figure:
    labels = pair_tokens(result.tokens[result.text(0)], result.tokens[result.text(1)])
    bottom = style.label_width(labels) + 20
    figure = style.canvas(280 + bottom, left=52, bottom=bottom, right=84)
    for index, (colour, name) in enumerate(
        ((style.CLEAN, "clean"), (style.CORRUPTED, "corrupted"))
    ):
        _bars(figure, result, index, colour, name, shift=0.4 * index - 0.2)
    figure.update_xaxes(title="token", **token_axis(labels))
    values = [result.activations[result.text(i)] for i in (0, 1)]
    shown = style.limits(np.concatenate(values), 0.06)
    figure.update_yaxes(title=UNIT, range=shown, zerolinewidth=2)
    ends = zip(("clean", "corrupted"), values, strict=True)
    texts = [(float(v[-1]), f"{name}<br><b>{style.plain(v[-1])}</b>") for name, v in ends]
    end_labels(figure, len(labels) - 0.6, texts)
    style.note(
        figure,
        style.key((style.CLEAN, "clean prompt", "■"), (style.CORRUPTED, "corrupted prompt", "■")),
    )
    return figure


def _bars(
    figure: go.Figure,
    result: Activations,
    index: int,
    colour: str,
    name: str,
    shift: float = 0.0,
    row: int | None = None,
) -> None:
    """One text's activations, the last token's value written out."""
    place = result.text(index)
    values = result.activations[place]
    figure.add_bar(
        x=[round(i + shift, 2) for i in range(len(values))],
        y=values.round(4).tolist(),
        width=0.4 if shift else 0.8,
        marker={"color": colour, "line": {"width": 0}},
        text=[""] * (len(values) - 1) + ["" if shift else style.plain(values[-1])],
        textposition="outside",
        textangle=0,
        textfont={"size": 11},
        constraintext="none",
        customdata=_hover(result, place),
        hovertemplate=f"{name}%{{customdata[0]}}: activation %{{customdata[1]}}<br>"
        "p(%{customdata[3]} next) = %{customdata[2]}<extra></extra>",
        cliponaxis=False,
        row=row,
        col=None if row is None else 1,
    )


def _hover(result: Activations, place: slice) -> list[list[str]]:
    target = style.visible(result.target)
    rows = zip(result.tokens[place], result.activations[place], result.p_target[place], strict=True)
    return [
        [" " + style.visible(t), style.plain(a, 3), style.percent(p), target] for t, a, p in rows
    ]


def _rows(result: Activations) -> go.Figure:
    """One row per text, for texts that are not aligned."""
    count = len(result.texts)
    labels = [[style.short(t, 12) for t in result.tokens[result.text(i)]] for i in range(count)]
    between = style.label_width([label for row in labels for label in row]) + 56
    height = 150 * count + between * count + 24
    plot = height - 24 - between
    figure = make_subplots(
        count, 1, vertical_spacing=0 if count == 1 else min(between / plot, 1 / (count - 1))
    )
    figure.update_layout(style.frame(height, 52, 24, between, 12))
    for index in range(count):
        _bars(figure, result, index, style.TARGET, "", row=index + 1)
        figure.update_xaxes(title="token", **token_axis(labels[index]), row=index + 1, col=1)
    figure.update_yaxes(title="activation", zerolinewidth=2)
    return figure


def random_text(result: Activations) -> go.Figure:
    """The activation over tokens of randomly drawn texts, the prompts' values marked."""
    news = sampled(result)
    drawn = result.activations[news]
    if not len(drawn):
        return style.nothing()
    marks = _marks(result)
    values = [value for _, value, _ in marks]
    low, high = min(float(drawn.min()), *values, 0.0), max(float(drawn.max()), *values, 0.0)
    figure = style.canvas(380, left=56)
    counts, edges = np.histogram(drawn, BINS, range=(low, high if high > low else low + 1))
    _histogram(figure, counts, edges)
    _rug(figure, result, drawn)
    shown = style.limits([low, high])
    figure.update_xaxes(title=UNIT, range=shown, zeroline=False, showgrid=False)
    figure.update_yaxes(title="tokens per bin (log scale)", type="log")
    texts = [(f"{name}: {style.plain(value)}", value, colour) for name, value, colour in marks]
    stems(figure, texts, base=-0.75, peak=float(np.log10(max(10, counts.max()))))
    hits = int(result.next_is_target[news].sum())
    style.note(
        figure,
        style.swatch(
            style.OTHER, f"{len(drawn):,} tokens of {result.random_texts} randomly drawn texts", "■"
        ),
        style.swatch(
            style.TRUE, f"{hits} of them are followed by {style.short(result.target)}", "❘"
        ),
    )
    return figure


def _marks(result: Activations) -> list[tuple[str, float, str]]:
    """(name, value, colour) of the last token of each text asked about, largest first."""
    names = ("clean prompt", "corrupted prompt") if is_pair(result) else ()
    rows = []
    for index in range(min(len(result.texts), 2)):
        value = float(result.activations[result.text(index)][-1])
        name = names[index] if names else f"text {index + 1}"
        rows.append((name, value, (style.CLEAN, style.CORRUPTED)[index]))
    return sorted(rows, key=lambda row: -row[1])


def _histogram(figure: go.Figure, counts: np.ndarray, edges: np.ndarray) -> None:
    """Bars that end above the foot of the axis, where the rug lies."""
    filled = counts > 0
    figure.add_bar(
        x=((edges[1:] + edges[:-1]) / 2)[filled].round(4).tolist(),
        y=(counts[filled] - FOOT).tolist(),
        base=FOOT,
        customdata=counts[filled].tolist(),
        width=np.diff(edges)[filled].round(4).tolist(),
        marker={"color": style.OTHER, "line": {"width": 0}},
        hovertemplate="tokens near %{x:.2f}: %{customdata:,}<extra></extra>",
    )


def _rug(figure: go.Figure, result: Activations, drawn: np.ndarray) -> None:
    """A tick for every token that the target really follows."""
    places = np.flatnonzero(sampled(result))
    hits = np.flatnonzero(result.next_is_target[places])
    figure.add_scatter(
        x=drawn[hits].round(4).tolist(),
        y=[0.3] * len(hits),
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 12, "color": style.TRUE, "line": {"width": 2}},
        customdata=[
            [style.visible(result.tokens[places[i]]), style.plain(drawn[i], 3)] for i in hits
        ],
        hovertemplate="%{customdata[0]}: %{customdata[1]}, and the target follows<extra></extra>",
    )
