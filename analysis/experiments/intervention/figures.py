"""Figure of experiment 5b: the next token before and after one neuron's activation is exchanged."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.drawing import marks, style
from analysis.experiments.intervention.compute import RESAMPLE, SETTINGS, Intervention
from analysis.token_sets import members

SHOWN = 8
"""Tokens in every panel: with more, a narrow page holds no panels side by side."""

ROW, HEADING, COLUMNS = 25, 44, 2


def intervention(result: Intervention) -> go.Figure:
    """A panel for every setting: probability of each next token, joined to the untouched one."""
    places = _shown(result)
    names = [style.short(result.tokens[i], 12) for i in places]
    rows = -(-len(SETTINGS) // COLUMNS)
    inner = rows * (len(places) * ROW + HEADING)
    figure = make_subplots(
        rows, COLUMNS, shared_xaxes=True, shared_yaxes=True, horizontal_spacing=0.06,
        vertical_spacing=HEADING / inner,
    )  # fmt: skip
    left = style.label_width(names) + 24
    figure.update_layout(style.frame(inner + 48, left, HEADING, 48, 12))
    most = max(10.0, 106 * float(_all(result)[:, places].max()))
    figure.update_xaxes(range=[-0.05 * most, most], dtick=_ticks(most))
    for place in range(len(SETTINGS)):
        _panel(figure, result, place, places)
    bold = [
        f"<b>{n}</b>" if _contrasted(result, i) else n for n, i in zip(names, places, strict=True)
    ]
    figure.update_yaxes(**style.rows(bold, -0.8, 0.5))
    figure.update_yaxes(title="next token", row=(rows + 1) // 2, col=1)
    figure.update_xaxes(title="probability (%)", row=rows)
    style.note(figure, *_key(result))
    return figure


def _all(result: Intervention) -> np.ndarray:
    return np.concatenate([result.probabilities, result.drawn_probabilities])


def _shown(result: Intervention) -> list[int]:
    """Places of target, foil and the tokens that are likeliest in any setting, in their order."""
    peak = result.probabilities.max(0)
    others = [i for i in np.argsort(-peak, kind="stable").tolist() if not _contrasted(result, i)]
    contrasted = [i for i in range(len(result.tokens)) if _contrasted(result, i)]
    return sorted([*contrasted, *others[: SHOWN - len(contrasted)]])


def _contrasted(result: Intervention, place: int) -> bool:
    return _colour(result, place) != style.TRUE


def _colour(result: Intervention, place: int) -> str:
    colours = dict.fromkeys(members(result.foil), style.FOIL)
    colours |= dict.fromkeys(members(result.target), style.TARGET)
    return colours.get(result.tokens[place], style.TRUE)


def _ticks(most: float) -> int | None:
    """Distance of ticks in per cent, few enough for two panels on a narrow page."""
    return 50 if most > 60 else 20 if most > 30 else None


def _panel(figure: go.Figure, result: Intervention, setting: int, places: list[int]) -> None:
    """One setting: where each token stood untouched, a line to where it stands now, the spread."""
    at = {"row": setting // COLUMNS + 1, "col": setting % COLUMNS + 1}
    before, after = joined = 100 * result.probabilities[[0, setting]][:, places]
    if setting == RESAMPLE:
        drawn = 100 * np.quantile(result.drawn_probabilities[:, places], [0.025, 0.975], axis=0)
        marks.joins(figure, drawn, style.FAINT, 12, **at)
    if setting:
        marks.joins(figure, joined, style.OTHER, 1.5, **at)
        _dots(figure, result, places, before, "untouched", True, at)
    _dots(figure, result, places, after, _name(result, setting), False, at)
    _percentages(figure, result, setting, places, at)
    _heading(figure, result, setting, at)


def _dots(
    figure: go.Figure,
    result: Intervention,
    places: list[int],
    shares: np.ndarray,
    name: str,
    hollow: bool,
    at: dict[str, int],
) -> None:
    """One mark a token: hollow and grey before, filled and coloured after."""
    colours = [style.OTHER if hollow else _colour(result, i) for i in places]
    data = [
        [style.visible(result.tokens[i]), style.percent(v / 100)]
        for i, v in zip(places, shares.tolist(), strict=True)
    ]
    figure.add_scatter(
        x=shares.round(4).tolist(),
        y=list(range(len(places))),
        mode="markers",
        marker={
            "color": colours,
            "symbol": "circle-open" if hollow else "circle",
            "size": [9 if _contrasted(result, i) else 6 for i in places],
            "line": {"width": 1.5 if hollow else 0},
        },
        customdata=data,
        hovertemplate=f"%{{customdata[0]}}: %{{customdata[1]}} ({name})<extra></extra>",
        cliponaxis=False,
        **at,
    )


def _percentages(
    figure: go.Figure, result: Intervention, setting: int, places: list[int], at: dict[str, int]
) -> None:
    """Above the marks of target and foil, and within the panel."""
    most = float(figure.layout.xaxis.range[1])
    for y, place in enumerate(places):
        if _contrasted(result, place):
            x = 100 * float(result.probabilities[setting, place])
            side = "left" if x < 0.14 * most else "right" if x > 0.86 * most else "center"
            figure.add_annotation(
                x=x,
                y=y,
                text=style.percent(x / 100),
                xanchor=side,
                xshift={"left": -6, "right": 6, "center": 0}[side],
                yshift=13,
                font={"size": 10.5},
                **at,
            )


def _name(result: Intervention, setting: int) -> str:
    """A setting in as few words as a panel's heading holds."""
    factor = f"{result.factor:g}".replace("-", "−")
    return {"negate": "negated", "factor": f"times {factor}"}.get(
        SETTINGS[setting], SETTINGS[setting]
    )


def _heading(figure: go.Figure, result: Intervention, setting: int, at: dict[str, int]) -> None:
    axis = figure.get_subplot(**at)
    value = style.plain(float(result.set_to[setting]), 1)
    difference = style.signed(float(result.measures[setting, 0]))
    style.heading(
        figure,
        f"<b>{_name(result, setting)}</b> ({value})<br>difference {difference}",
        axis.xaxis.domain[0],
        axis.yaxis.domain[1],
        yshift=2,
        align="left",
    )


def _key(result: Intervention) -> list[str]:
    target, foil = style.short(result.target), style.short(result.foil)
    return [
        style.key((style.TARGET, target), (style.FOIL, foil), (style.TRUE, "other tokens")),
        style.key(
            (style.OTHER, "untouched", "○"),
            (style.OTHER, f"middle 95 % of {len(result.drawn)} draws", "▬"),
        ),
    ]
