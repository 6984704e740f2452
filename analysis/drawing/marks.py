"""Marks that several figures have: estimates with their intervals, rings, and single pairs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from analysis.drawing import style


def to_three(value: float) -> str:
    """A number with three digits, as most marks tell theirs."""
    return style.plain(value, 3)


def estimates(
    figure: go.Figure,
    values: Sequence[Sequence[float]] | Float[np.ndarray, "row 3"],
    names: Sequence[str],
    colour: str,
    label: str = "",
    *,
    rows: Sequence[float] | None = None,
    size: int = 10,
    symbol: str | None = None,
    form: Callable[[float], str] = to_three,
    digits: int = 4,
    **more: Any,
) -> None:
    """A dot with its 95 % interval in a row for each name.

    Args:
        figure: to draw in.
        values: a mean and the ends of its interval for each name.
        names: of the rows.
        colour: of dots and intervals.
        label: what follows the name when a mark is pressed.
        rows: where each stands; from the first row on where none are given.
        size: of a dot.
        symbol: in the place of a dot; open ones are drawn with a line.
        form: how numbers are told.
        digits: with which they are drawn.
        more: where in the figure, if it has several panels.
    """
    found = np.array(values, dtype=float).reshape(-1, 3)
    stroke = {"line": {"width": 2}} if symbol and symbol.endswith("open") else {}
    figure.add_scatter(
        x=found[:, 0].round(digits).tolist(),
        y=list(range(len(names)) if rows is None else rows),
        mode="markers",
        marker={"color": colour, "size": size, "symbol": symbol, **stroke},
        error_x=style.whiskers(colour, *found.T, digits=digits),
        customdata=[[name, *map(form, each)] for name, each in zip(names, found, strict=True)],
        hovertemplate=f"%{{customdata[0]}}{label}: %{{customdata[1]}} "
        "[%{customdata[2]}, %{customdata[3]}]<extra></extra>",
        **more,
    )


def rings(
    figure: go.Figure,
    values: Sequence[float] | Float[np.ndarray, " row"],
    names: Sequence[str],
    label: str,
    *,
    rows: Sequence[float] | None = None,
    colour: str | list[str] = style.OTHER,
    size: int = 12,
    symbol: str = "circle-open",
    form: Callable[[float], str] = to_three,
    **more: Any,
) -> None:
    """An open ring in a row for each name: most often what was chosen by, or is as it is."""
    figure.add_scatter(
        x=np.array(values, dtype=float).round(4).tolist(),
        y=list(range(len(names)) if rows is None else rows),
        mode="markers",
        marker={"color": colour, "size": size, "symbol": symbol, "line": {"width": 2}},
        customdata=[[name, form(value)] for name, value in zip(names, values, strict=True)],
        hovertemplate=f"%{{customdata[0]}}, {label}: %{{customdata[1]}}<extra></extra>",
        **more,
    )


def single_pairs(
    figure: go.Figure,
    values: Float[np.ndarray, "pair row"],
    names: Sequence[str],
    prompts: Sequence[str],
    limits: Sequence[float],
) -> None:
    """A small dot for every pair of prompts; one beyond the limits is a triangle at the edge."""
    inset = 0.01 * (limits[1] - limits[0])
    low, high = limits[0] + inset, limits[1] - inset
    beyond = np.where(values > high, "triangle-right", "triangle-left")
    symbols = np.where((low <= values) & (values <= high), "circle", beyond)
    jitter = np.linspace(-0.25, 0.25, len(values))[:, None]
    figure.add_scatter(
        x=np.clip(values, low, high).round(4).ravel().tolist(),
        y=(np.arange(len(names)) + jitter).round(3).ravel().tolist(),
        mode="markers",
        marker={
            "color": style.OTHER,
            "size": 5,
            "opacity": 0.6,
            "symbol": symbols.ravel().tolist(),
        },
        cliponaxis=False,  # a triangle at the edge is whole
        customdata=[
            [name, to_three(value), style.wrapped(pair, 60, 4)]
            for row, pair in zip(values, prompts, strict=True)
            for name, value in zip(names, row, strict=True)
        ],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<br>%{customdata[2]}<extra></extra>",
    )


def estimate(
    figure: go.Figure,
    point: tuple[float, float],
    span: Float[np.ndarray, "2"],
    look: tuple[str, str],
    name: str,
    **more: Any,
) -> None:
    """One value with its 95 % interval, by name.

    Args:
        figure: to draw in.
        point: the value, and the height at which it stands.
        span: its interval.
        look: colour and symbol.
        name: what the value is.
        more: where in the figure, if it has several panels.
    """
    (value, y), (colour, symbol) = point, look
    found, form = [[value, *span.tolist()]], style.plain
    estimates(
        figure, found, [name], colour, rows=[y], size=9, symbol=symbol, form=form,
        cliponaxis=False, **more,
    )  # fmt: skip


def joins(
    figure: go.Figure, ends: Float[np.ndarray, "2 row"], colour: str, width: float, **more: Any
) -> None:
    """A line in every row, from one value to another."""
    figure.add_scatter(
        x=[value for each in ends.T.tolist() for value in (*each, None)],
        y=[place for row in range(ends.shape[1]) for place in (row, row, None)],
        mode="lines",
        line={"color": colour, "width": width},
        hoverinfo="skip",
        **more,
    )


def spread(
    figure: go.Figure,
    places: Sequence[float],
    drawn: Float[np.ndarray, "draw place"],
    **more: Any,
) -> None:
    """A grey area from the lowest to the highest of the draws at each place."""
    figure.add_scatter(
        x=[*places, *places[::-1]],
        y=[*drawn.max(0).round(4).tolist(), *drawn.min(0)[::-1].round(4).tolist()],
        mode="lines",
        fill="toself",
        fillcolor=style.FAINT,
        line={"width": 1, "color": style.FAINT},
        hoverinfo="skip",
        **more,
    )
