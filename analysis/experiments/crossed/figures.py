"""Figures of experiment 20: what tells words apart after every example, and by rule and cue."""

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import marks, style
from analysis.experiments.crossed.compute import Crossed
from analysis.experiments.crossed.facts import sign_of
from analysis.intervals import area_span, signed_area

STRIP, HEADING = 62, 8  # pixels of one row of marks, and of the gap above it
SHIFT = 13  # pixels from one mark of a row to the next
LEFT, RIGHT, BOTTOM = 14, 14, 62
SPREAD = 7  # pixels, of dots off the middle of their row
SHADES = {True: style.TARGET, False: style.FOIL}
BOLDER = 8  # letters that a bold line holds fewer than a plain one


def crossed(result: Crossed, sign: int | None = None) -> go.Figure:
    """A row per example: AUC of the neuron by rule and by cue, of the model with and without it.

    The neuron's is read with the sign with which it is used, by default ``sign_of``.
    """
    headings = [_heading(result, i) for i in range(len(result.examples))]
    figure, middles = _rows(headings, STRIP)
    figure.update_xaxes(
        title="AUC (share of word pairs<br>in the expected order)",
        range=[-0.04, 1.04],
        tickvals=[0, 0.25, 0.5, 0.75, 1],
        zeroline=False,
    )
    bottom = middles[-1] - STRIP / 2
    figure.add_shape(type="line", x0=0.5, x1=0.5, y0=0, y1=bottom, line_dash="dot", layer="below")
    for index, middle in enumerate(middles):
        _example(figure, result, index, middle, sign or sign_of(result))
    style.note(
        figure,
        style.key(
            (style.TARGET, f"neuron, by {style.escaped(result.rule)}"),
            (style.TARGET, f"by {style.escaped(result.cue)}", "▲"),
        ),
        style.key(
            (style.TRUE, f"answer, by {style.escaped(result.rule)}", "◆"),
            (style.TRUE, "without the neuron", "◇"),
        ),
        style.key(
            (style.OTHER, "neuron, single frames", "❘"),
            (style.FAINT, "labels shuffled (95 %)", "■"),
        ),
    )
    return figure


def _heading(result: Crossed, index: int) -> list[str]:
    said = ": ".join(filter(None, (result.examples[index], result.beginnings[index])))
    width = style.NARROW - BOLDER * (index == 0)
    lines = style.wrapped(said, width, lines=2).split("<br>")
    return [f"<b>{line}</b>" for line in lines] if index == 0 else lines


def _rows(headings: list[list[str]], strip: int) -> tuple[go.Figure, list[float]]:
    """An empty figure with a row below each heading, and the middles of the rows."""
    heights = [strip + HEADING + style.LINE * len(lines) for lines in headings]
    figure = style.canvas(sum(heights) + 4 + BOTTOM, LEFT, 4, BOTTOM, RIGHT)
    figure.update_yaxes(range=[-sum(heights), 0], visible=False)
    middles = (-np.cumsum(heights) + strip / 2).tolist()
    for lines, middle in zip(headings, middles, strict=True):
        style.above(figure, lines, middle + strip / 2)
    return figure, middles


def _example(figure: go.Figure, result: Crossed, index: int, middle: float, sign: int) -> None:
    low, high = area_span(result.shuffled[0, index], sign)
    style.band(figure, low, high, middle - STRIP / 2, middle + STRIP / 2)
    _frames(figure, result, index, middle + 1.5 * SHIFT, sign)
    looks = (
        (style.TARGET, "circle", f"neuron by {result.rule}", 0, 0),
        (style.TARGET, "triangle-up", f"neuron by {result.cue}", 1, 0),
        (style.TRUE, "diamond", f"answer by {result.rule}", 0, 1),
        (style.TRUE, "diamond-open", "answer without the neuron", 0, 2),
    )
    for place, (colour, symbol, name, factor, measure) in enumerate(looks):
        y = middle + SHIFT * (1.5 - place)
        used = 1 if measure else sign  # the neuron's alone
        value = float(signed_area(result.area[factor, measure, index], used))
        span = np.array(area_span(result.area_interval[factor, measure, index], used))
        marks.estimate(figure, (value, y), span, (colour, symbol), style.escaped(name))


def _frames(figure: go.Figure, result: Crossed, index: int, y: float, sign: int) -> None:
    figure.add_scatter(
        x=signed_area(result.frame_area[0, index], sign).round(3).tolist(),
        y=[y] * len(result.frames),
        mode="markers",
        marker={"color": style.OTHER, "size": 8, "symbol": "line-ns-open", "line": {"width": 1}},
        text=[style.wrapped(frame) for frame in result.frames],
        hovertemplate="%{text}<br>AUC %{x:.2f}<extra></extra>",
    )


def rule_and_cue(result: Crossed) -> go.Figure:
    """A row for each of the four kinds of words: a dot per word, the mean and its interval."""
    cells = [(rule, cue) for rule in (True, False) for cue in (True, False)]
    figure, middles = _rows([_cell(result, *cell) for cell in cells], STRIP // 2)
    means = result.values[0, 0].mean(0)
    seen = np.concatenate([means, result.mean_intervals[:, :, 0].ravel()])
    figure.update_xaxes(
        title="activation, mean over frames<br>(after the pair’s own example)",
        range=style.limits(seen, 0.04),
        zeroline=False,
        nticks=6,
    )
    for (rule, cue), middle in zip(cells, middles, strict=True):
        style.zero(figure, middle - STRIP / 4, middle + STRIP / 4)
        mine = (result.calls_for_target == rule) & (result.looks_like_target == cue)
        _words(figure, result, np.flatnonzero(mine), middle, SHADES[rule])
        place = int(not rule), int(not cue), 0
        point, look = (float(result.means[place]), middle), (SHADES[rule], "line-ns-open")
        marks.estimate(figure, point, result.mean_intervals[place], look, "mean activation")
    style.note(
        figure,
        "a dot: a word; line: mean with 95 % interval",
        style.key(
            (style.TARGET, f"{style.escaped(result.rule)}: {style.short(result.target)}"),
            (style.FOIL, style.short(result.foil)),
        ),
    )
    return figure


def _cell(result: Crossed, rule: bool, cue: bool) -> list[str]:
    names = {True: style.short(result.target), False: style.short(result.foil)}
    head = f"{result.rule} calls for {{}}, {result.cue} for {{}}"
    mine = (result.calls_for_target == rule) & (result.looks_like_target == cue)
    kinds = dict.fromkeys(np.array(result.kinds)[mine].tolist())
    first = f"<b>{style.escaped(head).format(names[rule], names[cue])}</b>"
    return [first, *style.wrapped(", ".join(kinds), lines=2).split("<br>")]


def _words(
    figure: go.Figure, result: Crossed, places: np.ndarray, middle: float, colour: str
) -> None:
    """A dot for each word, kinds beside each other as far as there is room."""
    kinds = list(dict.fromkeys(result.kinds[place] for place in places))
    step = 2 * SPREAD / max(1, len(kinds) - 1)
    means = result.values[0, 0][:, places].mean(0)
    figure.add_scatter(
        x=means.round(3).tolist(),
        y=[middle + SPREAD - step * kinds.index(result.kinds[place]) for place in places],
        mode="markers",
        marker={"color": colour, "size": 6, "opacity": 0.5},
        customdata=[
            [style.escaped(result.words[place]), style.escaped(result.kinds[place]),
             style.plain(value)]
            for place, value in zip(places, means, strict=True)
        ],
        hovertemplate="%{customdata[0]} (%{customdata[1]}): "
        "activation %{customdata[2]}<extra></extra>",
    )  # fmt: skip


def crossed_plan(result: Crossed) -> go.Figure:
    """A dot per prompt after the first example: what would come next, and the activation."""
    if not len(result.expected):
        return style.nothing()
    figure = style.canvas(340, left=56)
    for calls, colour in ((True, style.TARGET), (False, style.FOIL)):
        mine = np.flatnonzero(result.calls_for_target == calls)
        figure.add_scatter(
            x=result.expected[0][:, mine].round(3).ravel().tolist(),
            y=result.values[0, 0][:, mine].round(3).ravel().tolist(),
            mode="markers",
            marker={"color": colour, "size": 5, "opacity": 0.6},
            text=[
                style.wrapped(frame.replace("{}", result.words[place]))
                for frame in result.frames
                for place in mine
            ],
            hovertemplate="%{text}<br>log odds %{x:.2f}, activation %{y:.2f}<extra></extra>",
        )
    target = style.short(result.target)
    figure.update_xaxes(title=f"log odds that the next token calls for {target}")
    figure.update_yaxes(title="activation")
    name = style.escaped(result.rule)
    style.note(
        figure,
        style.key(
            (style.TARGET, f"{name} of the word: {target}"), (style.FOIL, style.short(result.foil))
        ),
    )
    return figure
