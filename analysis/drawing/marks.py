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
    told: str = "",
    *,
    rows: Sequence[float] | None = None,
    size: int = 10,
    symbol: str | None = None,
    form: Callable[[float], str] = to_three,
) -> None:
    """A dot with its 95 % interval in a row for each name.

    Args:
        figure: to draw in.
        values: a mean and the ends of its interval for each name.
        names: of the rows.
        colour: of dots and intervals.
        told: what follows the name when a mark is pressed.
        rows: where each stands; from the first row on where none are given.
        size: of a dot.
        symbol: in the place of a dot.
        form: how numbers are told.
    """
    found = np.array(values, dtype=float).reshape(-1, 3)
    figure.add_scatter(
        x=found[:, 0].round(4).tolist(),
        y=list(range(len(names)) if rows is None else rows),
        mode="markers",
        marker={"color": colour, "size": size} | ({"symbol": symbol} if symbol else {}),
        error_x=style.whiskers(colour, *found.T),
        customdata=[[name, *map(form, each)] for name, each in zip(names, found, strict=True)],
        hovertemplate=f"%{{customdata[0]}}{told}: %{{customdata[1]}} "
        "[%{customdata[2]}, %{customdata[3]}]<extra></extra>",
    )


def rings(
    figure: go.Figure,
    values: Sequence[float] | Float[np.ndarray, " row"],
    names: Sequence[str],
    told: str,
    *,
    rows: Sequence[float] | None = None,
    colour: str | list[str] = style.OTHER,
    size: int = 12,
    form: Callable[[float], str] = to_three,
    **more: Any,
) -> None:
    """An open ring in a row for each name: most often what was chosen by, or is as it is."""
    figure.add_scatter(
        x=np.array(values, dtype=float).round(4).tolist(),
        y=list(range(len(names)) if rows is None else rows),
        mode="markers",
        marker={"color": colour, "size": size, "symbol": "circle-open", "line": {"width": 2}},
        customdata=[[name, form(value)] for name, value in zip(names, values, strict=True)],
        hovertemplate=f"%{{customdata[0]}}, {told}: %{{customdata[1]}}<extra></extra>",
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
        customdata=[
            [name, to_three(value), style.wrapped(pair, 60, 4)]
            for row, pair in zip(values, prompts, strict=True)
            for name, value in zip(names, row, strict=True)
        ],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<br>%{customdata[2]}<extra></extra>",
    )
