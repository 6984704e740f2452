"""The documentation's page of benchmarks, written from ``results.json``, and its picture.

``python -m bench.page`` draws the picture; it needs Chromium. The page is made with the site.
"""

import json
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly.subplots import make_subplots

from bench.cold import LIMITS
from bench.timing import RESULTS

HERE = Path(__file__).parent
PICTURE = HERE.parent / "docs" / "bench.png"
OURS, BARE, PEER = "#2478c4", "#7f868d", "#cf6a0e"


def page() -> str:
    """The page, as far as there are results."""
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    loader = FileSystemLoader(HERE)
    environment = Environment(loader=loader, undefined=StrictUndefined, autoescape=False)
    environment.filters |= {"seconds": seconds, "amount": "{:,.0f}".format, "times": times}
    environment.filters["spread"] = spread
    facts = {"found": found, "limits": LIMITS, "pictured": PICTURE.is_file()}
    return environment.get_template("page.md.jinja").render(**facts)


def seconds(value: float) -> str:
    """Seconds to three digits."""
    return f"{value:,.0f} s" if value >= 100 else f"{value:.3g} s"


def times(value: float) -> str:
    """A ratio to three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def spread(told: dict[str, Any]) -> str:
    """The median, and the fastest and slowest round."""
    ends = f"{told['low']:.3g} to {told['high']:.3g}"
    return f"{seconds(told['median'])} ({ends})" if told["rounds"] > 1 else seconds(told["median"])


def sweep_rows(sweep: dict[str, Any]) -> list[tuple[str, float, str]]:
    """Name, seconds for every neuron, colour."""
    peers = [(name, each["extrapolated"], PEER) for name, each in sweep["peers"].items()]
    own = {"matrix products": ("products", BARE), "exact": ("exact", OURS)}
    own["screened"] = ("screened", OURS)
    rows = [(name, sweep["times"][key]["median"], colour) for name, (key, colour) in own.items()]
    return sorted([*rows, *peers], key=lambda row: -row[1])


def _ways(rows: list[tuple[str, float, str]]) -> go.Scatter:
    names, values, colours = zip(*rows, strict=True)
    told = [f"  {value:,.3g}" if value < 1000 else f"  {value:,.0f}" for value in values]
    ways = go.Scatter(x=values, y=names, text=told, mode="markers+text", showlegend=False)
    return ways.update(marker={"color": colours, "size": 14}, textposition="middle right")


def picture(found: dict[str, Any]) -> go.Figure:
    """Every way to sweep, and how cost grows; what was not timed is left out."""
    titles = ("Seconds for every neuron", "Cost by amount, smallest = 1")
    figure = make_subplots(1, 2, subplot_titles=titles, horizontal_spacing=0.12)
    if "sweep" in found:
        figure.add_trace(_ways(sweep_rows(found["sweep"])), 1, 1)
    for name, points in found.get("curves", {}).get("curves", {}).items():
        amounts, costs = zip(*points, strict=True)
        x = [amount / amounts[0] for amount in amounts]
        y = [cost / costs[0] for cost in costs]
        figure.add_trace(go.Scatter(x=x, y=y, name=name, mode="lines+markers"), 1, 2)
    line = go.Scatter(x=[1, 8], y=[1, 8], name="in proportion", mode="lines")
    figure.add_trace(line.update(line={"color": BARE, "dash": "dot"}), 1, 2)
    figure.update_xaxes(type="log", range=[-0.5, 4], dtick=1, row=1, col=1)
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(type="log", tickvals=[1, 2, 4, 8, 16, 32], row=1, col=2)
    figure.update_layout(height=360, template="plotly_white", margin={"t": 50, "b": 40, "r": 150})
    return figure.update_layout(showlegend=True, legend={"x": 1.02, "y": 0.95})


def main() -> None:
    """Draw the picture on white."""
    from analysis.results import atomic
    from report.images import draw, find_browser

    figure = picture(json.loads(RESULTS.read_text()))
    content = draw({PICTURE.stem: figure}, find_browser(), ["png"], 960, 2)[PICTURE.name]
    with atomic(PICTURE) as scratch:
        scratch.write_bytes(content)
    print(PICTURE)


if __name__ == "__main__":
    main()
