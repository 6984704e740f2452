"""The look of every figure: palette, themes, and how hostile text becomes safe labels."""

import html
import math
import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any, SupportsFloat

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import plotly.io as pio

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SIZE = 12
LINE = 17  # pixels from one line of text to the next
CHARACTER = 6.8  # pixels, average width

TARGET = CLEAN = "#2478c4"
FOIL = CORRUPTED = "#cf6a0e"
TRUE = "#12906f"
OTHER = "#7f868d"
FAINT = "rgba(127, 134, 141, 0.28)"
"""Marks keep a contrast of at least 3:1 on white and on near-black; FAINT is for areas."""

NARROW = 54
"""Characters per line that fit a figure 400 pixels wide."""

_SYMBOLS = {" ": "·", "\n": "⏎", "\t": "⇥", "\r": "␍", "\ufffd": "⟨byte⟩"}
"""What is seen in place of a character; the last stands for a token's part of a character."""


def visible(token: str) -> str:
    """A token as a figure shows it: spaces and controls seen, and no character taken as markup.

    Plotly reads text as a kind of HTML and ``$...$`` as a formula; tokens are neither.
    """
    return escaped("".join(_SYMBOLS.get(c, c) for c in token))


def escaped(text: str) -> str:
    """Any text with nothing left that a figure could take as markup, formula or control."""
    shown = "".join(
        c if unicodedata.category(c)[0] != "C" else f"⟨{ord(c):X}⟩" for c in text.replace("\n", "⏎")
    )
    return html.escape(shown, quote=False).replace("$", "&#36;")


def short(token: str, longest: int = 14) -> str:
    """A token as a figure shows it, cut where it is longer than a label can be."""
    return visible(token if len(token) <= longest else token[: longest - 1] + "…")


def wrapped(text: str, width: int = NARROW, lines: int = 3) -> str:
    """A prompt over a few short lines."""
    rows = textwrap.wrap(text, width, max_lines=lines, placeholder=" …")
    return "<br>".join(map(escaped, rows))


def signed(value: SupportsFloat, digits: int = 2) -> str:
    """A number with its sign, minus as a minus."""
    return plain(value, digits) if float(value) < 0 else "+" + plain(value, digits)


def plain(value: SupportsFloat, digits: int = 2) -> str:
    """A number, minus as a minus, and never minus zero; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    return f"{round(float(value), digits) + 0.0:.{digits}f}".replace("-", "−")


def percent(probability: SupportsFloat) -> str:
    """A probability in percent, to a tenth, small ones to their first digit."""
    share = 100 * float(probability)
    if share >= 0.1 or share == 0:
        return f"{share:.1f} %"
    return f"{share:.2g} %" if share >= 1e-4 else "&lt;0.0001 %"


def power(value: SupportsFloat) -> str:
    """A small number by its leading digit and power of ten, on one line, such as 1 × 10⁻⁶."""
    digit, exponent = f"{float(value):.0e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digit.replace('-', '−')}\u00a0×\u00a010{raised}"


def swatch(colour: str, text: str, symbol: str = "●") -> str:
    """A coloured sign and what it stands for."""
    return f'<span style="color:{colour}">{symbol}</span> {text}'


def key(*entries: tuple[str, ...]) -> str:
    """What the colours and signs of a figure stand for, in one line: a swatch for each entry."""
    return "   ".join(swatch(*entry) for entry in entries)


def canvas(height: int, left: int = 56, top: int = 12, bottom: int = 48, right: int = 12) -> Any:
    """An empty figure of fixed height that takes the width it is given."""
    return go.Figure(layout=frame(height, left, top, bottom, right))


def frame(height: int, left: int, top: int, bottom: int, right: int) -> dict[str, Any]:
    """Layout of a figure of fixed height that takes the width it is given."""
    margin = {"l": left, "r": right, "t": top, "b": bottom}
    return {"template": "neuron_light", "height": height, "autosize": True, "margin": margin}


def note(figure: go.Figure, *lines: str) -> None:
    """Write lines above the plot, from the figure's left edge, and make room for them."""
    margin = figure.layout.margin
    top = margin.t
    margin.t = top + LINE * len(lines)
    figure.layout.height += LINE * len(lines)
    place = {"xshift": 8 - margin.l, "yshift": top - 4}
    heading(figure, "<br>".join(lines), 0, 1, **place, align="left")


def nothing() -> go.Figure:
    """A figure without anything to draw; its caption says why."""
    figure = canvas(120, left=12)
    figure.update_layout(xaxis_visible=False, yaxis_visible=False)
    figure.add_annotation(text="Nothing to draw", x=0.5, y=0.5, xref="paper", yref="paper")
    return figure


def limits(values: npt.ArrayLike, room: float = 0.05) -> list[float]:
    """The ends of an axis that has zero and all finite values, with a share of room beyond both."""
    known = np.asarray(values, dtype=float).ravel()
    known = np.append(known[np.isfinite(known)], 0.0)
    low, high = float(known.min()), float(known.max())
    beyond = room * (high - low) + 1e-6
    return [low - beyond, high + beyond]


def rows(names: Sequence[str], first: float = -0.5, last: float = 0.5) -> dict[str, Any]:
    """An axis with a row for each name, from above; the ends lie so far beyond the outer rows."""
    places = {"tickvals": list(range(len(names))), "ticktext": list(names)}
    return {**places, "range": [len(names) - last, first], "showgrid": False, "zeroline": False}


def heading(figure: go.Figure, text: str, x: float, y: float, **more: Any) -> None:
    """Write above a panel, from a place of the figure on."""
    place = {"x": x, "y": y, "xref": "paper", "yref": "paper"}
    figure.add_annotation(text=text, **place, xanchor="left", yanchor="bottom", **more)


def beside(figure: go.Figure, y: float, text: str, **more: Any) -> None:
    """Write to the right of the plot, at the height of a row."""
    figure.add_annotation(text=text, x=1, xref="paper", y=y, xanchor="left", xshift=8, **more)


def above(figure: go.Figure, lines: Sequence[str], y: float) -> None:
    """Write lines above a height of the plot, over the whole width."""
    place = {"x": 0, "xref": "paper", "xanchor": "left", "y": y, "yanchor": "bottom"}
    figure.add_annotation(text="<br>".join(lines), **place, align="left", borderpad=0)


def band(figure: go.Figure, x0: float, x1: float, y0: float, y1: float, **more: Any) -> None:
    """A grey area behind the marks."""
    place = {"x0": x0, "x1": x1, "y0": y0, "y1": y1}
    figure.add_shape(type="rect", **place, fillcolor=FAINT, line_width=0, layer="below", **more)


def zero(figure: go.Figure, y0: float, y1: float, **more: Any) -> None:
    """A line at zero beside a row's marks; an axis' own would go through headings."""
    place = {"x0": 0, "x1": 0, "y0": y0, "y1": y1}
    figure.add_shape(type="line", **place, line={"width": 2}, layer="below", **more)


def label_width(labels: list[str], least: int = 40) -> int:
    """Pixels that tick labels need."""
    longest = max((len(html.unescape(label)) for label in labels), default=0)
    return max(least, round(longest * CHARACTER) + 14)


def diverging(limit: float, title: str) -> dict[str, Any]:
    """A colour axis centred at zero, its bar lying along the figure's lower edge."""
    bar = {
        "title": {"text": f"{title}<br>\u00a0", "side": "top"},  # a line to keep off the bar
        "orientation": "h",
        "thickness": 10,
        "lenmode": "pixels",
        "len": 200,  # a plot beside its labels on a phone
        "x": 0.5,
        "xanchor": "center",
        "yref": "container",
        "y": 0.0,
        "yanchor": "bottom",
        "tickvals": [-limit, -limit / 2, 0, limit / 2, limit],
        "ticktext": [plain(v * limit, 2 - (limit >= 1)) for v in (-1, -0.5, 0, 0.5, 1)],
    }
    return {"cmin": -limit, "cmax": limit, "colorbar": bar}


def whiskers(
    colour: str,
    middle: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *,
    digits: int = 4,
    thickness: float = 2,
) -> dict[str, Any]:
    """Error bars of marks from the ends of their intervals; where one is unknown, no bar."""
    sides = {"array": np.subtract(high, middle), "arrayminus": np.subtract(middle, low)}
    bars = {name: np.nan_to_num(side).round(digits).tolist() for name, side in sides.items()}
    look = {"color": colour, "thickness": thickness, "width": 0}
    return {"type": "data", "symmetric": False, **bars, **look}


def layer_ticks(layers: int) -> dict[str, Any]:
    """Ticks on an axis that counts layers."""
    step = next(s for s in (1, 2, 5, 10, 20, 50) if layers <= 12 * s or s == 50)
    return {"tickmode": "linear", "tick0": 0, "dtick": step}


ON_COLOUR = {"shadow": "auto"}
"""Part of the font of texts in cells: a rim keeps them readable on a colour of middle lightness."""

ON_CELLS = "on cells"
"""Name of the look of annotations that stand on a map, whatever colour its cells have."""


def _template(ink: str, grid: str, zero: str, hover: str, scale: list[str]) -> dict[str, Any]:
    clear = "rgba(0, 0, 0, 0)"
    axis = {
        "gridcolor": grid,
        "zerolinecolor": zero,
        "linecolor": zero,
        "tickcolor": zero,
        "ticks": "",
        "zerolinewidth": 1,
        "automargin": True,
        "title": {"standoff": 8, "font": {"size": SIZE}},
        "tickfont": {"size": 11},
    }
    points = [[i / (len(scale) - 1), colour] for i, colour in enumerate(scale)]
    dots = {"opacity": 1, "line": {"width": 0}}
    bar = {"outlinewidth": 0, "tickfont": {"size": 11}, "title": {"font": {"size": 11}}}
    return {
        "data": {"scatter": [{"marker": dots}]},
        "layout": {
            "font": {"family": FONT, "size": SIZE, "color": ink},
            "paper_bgcolor": clear,
            "plot_bgcolor": clear,
            "xaxis": axis,
            "yaxis": axis,
            "coloraxis": {"autocolorscale": False, "colorscale": points, "colorbar": bar},
            "hoverlabel": {
                "bgcolor": hover,
                "bordercolor": zero,
                "align": "left",
                "font": {"color": ink, "family": FONT, "size": SIZE},
            },
            "annotationdefaults": {
                "showarrow": False,
                "arrowhead": 0,
                "arrowwidth": 1,
                "arrowcolor": OTHER,
                "font": {"size": SIZE},
            },
            "annotations": [  # to which the defaults above do not apply
                {"name": ON_CELLS, "visible": False, "bgcolor": hover, "showarrow": False}
            ],
            "shapedefaults": {"line": {"color": OTHER, "width": 1}},
            "showlegend": False,
            "hovermode": "closest",
            "dragmode": False,
            "bargap": 0,
        },
    }


_LIGHT = ["#8f4300", "#d9812b", "#f4c48d", "#fafafa", "#9cc9ee", "#3c8ccf", "#0d4a86"]
_DARK = ["#ffb35c", "#c6731c", "#6b3f12", "#14171a", "#16436b", "#2b7cc4", "#86c5ff"]

THEMES: dict[str, dict[str, Any]] = {
    "light": {"template": _template("#1d2329", "#e4e7ea", "#a9b0b7", "#ffffff", _LIGHT)},
    "dark": {"template": _template("#e3e7eb", "#2a3036", "#5d666f", "#23292f", _DARK)},
}
"""Layout updates: the template colours text, every axis and the diverging scale at once."""

for _name, _update in THEMES.items():
    pio.templates[f"neuron_{_name}"] = go.layout.Template(_update["template"])


def themed(figure: go.Figure, theme: str) -> go.Figure:
    """A copy of a figure for a light or a dark page."""
    return go.Figure(figure).update_layout(template=f"neuron_{theme}")
