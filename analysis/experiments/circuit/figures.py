"""Figures of experiment 24: the circuit, from the exchanged tokens up, and circuits by size."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import marks, style
from analysis.experiments.circuit.measured import SHARES, Circuit

MOST = 60
"""Edges that are drawn at most, the strongest; the table has all."""

ROW, TOP, BOTTOM = 34, 16, 48  # pixels
BEND = 0.3
"""How far an edge between two nodes of one position leans aside, in columns."""

STEPS = np.linspace(0, 1, 15)

LOOKS = (
    ("alone", "alone", style.TARGET, "the first nodes alone"),
    ("complement", "all others", style.FOIL, "all nodes but these"),
)
"""Of the curves over the size of a circuit."""


@dataclass(frozen=True)
class _Point:
    """Where a node stands: its column is its position, its row when it is computed."""

    x: float
    y: float


def circuit(result: Circuit) -> go.Figure:
    """Nodes by position and in the order in which they are computed; edges by what they move."""
    if not result.drawn_edges:
        return style.nothing()
    points, columns = _layout(result)
    rows = len(result.drawn) + 2
    figure = style.canvas(ROW * rows + TOP + BOTTOM, left=14, right=14, top=TOP, bottom=BOTTOM)
    for edge in reversed(result.drawn_edges[:MOST]):
        _edge(figure, result, edge, points)
    _nodes(figure, result, points)
    _labels(figure, result, points)
    places = {
        "tickvals": list(range(len(columns))),
        "ticktext": [f"{style.short(result.tokens[at])} ({at})" for at in columns],
    }
    figure.update_xaxes(
        title="position",
        range=[-0.55, len(columns) - 0.3],
        showgrid=False,
        zeroline=False,
        **places,
    )
    figure.update_yaxes(range=[-0.6, rows - 0.4], visible=False)
    style.note(
        figure,
        style.key(
            (style.TARGET, f"towards {style.short(result.target)}", "▬"),
            (style.FOIL, "against it", "▬"),
        ),
        "wider: moves more alone",
    )
    return figure


def _layout(result: Circuit) -> tuple[dict[int, _Point], list[int]]:
    """Points by place in the axes of ``edges``, and the positions of the columns.

    Nodes have their own numbers, the answer comes behind them, and exchanged tokens are negative.
    """
    last = len(result.tokens) - 1
    sources = {result.source(receiver) for sender, receiver in result.drawn_edges if not sender}
    columns = sorted({int(result.positions[i]) for i in result.drawn} | sources | {last})
    points = {_token(at): _Point(columns.index(at), 0) for at in sources}
    for row, node in enumerate(result.drawn, 1):
        points[node] = _Point(columns.index(int(result.positions[node])), row)
    points[len(result.nodes)] = _Point(columns.index(last), len(result.drawn) + 1)
    return points, columns


def _token(position: int) -> int:
    """The place in the layout of the exchanged token at a position, and the other way round."""
    return -1 - position


def _ends(result: Circuit, edge: tuple[int, int]) -> tuple[int, int]:
    """The places in the layout between which an edge runs."""
    sender, receiver = edge
    return sender - 1 if sender else _token(result.source(receiver)), receiver


def _aside(start: _Point, end: _Point) -> float:
    """How far an edge within a column leans aside, the more the more nodes it passes."""
    passed = end.y - start.y - 1
    return BEND * (1 - 1 / (1 + passed / 3)) if start.x == end.x else 0.0


def _edge(
    figure: go.Figure, result: Circuit, edge: tuple[int, int], points: dict[int, _Point]
) -> None:
    """A line whose width and colour say what the edge moves, with its numbers at its middle."""
    ends = _ends(result, edge)
    effect = float(result.edges[edge])
    start, end = (points[node] for node in ends)
    colour = style.TARGET if effect >= 0 else style.FOIL
    aside = _aside(start, end) * (1 if effect >= 0 else -1)
    x = start.x + (end.x - start.x) * STEPS + 4 * aside * STEPS * (1 - STEPS)
    y = start.y + (end.y - start.y) * STEPS
    names = [_name(result, node) for node in ends]
    figure.add_scatter(
        x=x.round(4).tolist(),
        y=y.round(4).tolist(),
        mode="lines",
        line={"color": colour, "width": round(1 + 9 * min(abs(effect), 1.0) ** 0.7, 2)},
        opacity=0.75,
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[round(float(x[7]), 4)],
        y=[round(float(y[7]), 4)],
        mode="markers",
        marker={"color": colour, "size": 6},
        ids=["-".join(_named(result, node) for node in ends)],
        customdata=[[*names, style.signed(effect, 3)]],
        hovertemplate="%{customdata[0]}<br>→ %{customdata[1]}: %{customdata[2]}<extra></extra>",
    )


def _nodes(figure: go.Figure, result: Circuit, points: dict[int, _Point]) -> None:
    """Marks with their names beside them; the first of their data is what can be pressed."""
    ends = [node for node in points if node not in result.drawn]
    figure.add_scatter(
        x=[points[end].x for end in ends],
        y=[points[end].y for end in ends],
        mode="markers",
        marker={"color": style.TRUE, "size": 13, "symbol": "square"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[points[i].x for i in result.drawn],
        y=[points[i].y for i in result.drawn],
        mode="markers",
        marker={
            "color": style.OTHER,
            "size": 11,
            "symbol": [_symbol(result, i) for i in result.drawn],
        },
        ids=[_named(result, i) for i in result.drawn],
        customdata=[
            [
                result.nodes[i],
                style.escaped(result.place(i)),
                style.plain(result.restored[i], 3),
                style.plain(result.lost[i], 3),
            ]
            for i in result.drawn
        ],
        hovertemplate="%{customdata[0]} at %{customdata[1]}<br>alone it restores %{customdata[2]}, "
        "without it %{customdata[3]} is lost<extra></extra>",
    )


def _name(result: Circuit, node: int) -> str:
    """What a reader is told of one end of an edge, by its place in the layout."""
    if node == len(result.nodes):
        return "answer"
    if node < 0:
        return f"exchanged token {style.escaped(result.at(_token(node)))}"
    return f"{result.nodes[node]} at {style.escaped(result.place(node))}"


def _named(result: Circuit, node: int) -> str:
    """What an address calls it."""
    if node < 0 or node == len(result.nodes):
        return "token" if node < 0 else "answer"
    return f"{result.nodes[node].replace(' ', '')}.{int(result.positions[node])}"


def _symbol(result: Circuit, node: int) -> str:
    """A circle for a neuron, a diamond for a head, a square for an MLP."""
    name = result.nodes[node]
    return "square" if name.startswith("MLP") else "diamond" if "H" in name else "circle"


def _labels(figure: go.Figure, result: Circuit, points: dict[int, _Point]) -> None:
    """Names, beside all edges that lean their way; edges leave to the right but in the last."""
    names = {i: result.nodes[i] for i in result.drawn}
    names |= {node: style.short(result.tokens[_token(node)]) for node in points if node < 0}
    names[len(result.nodes)] = style.visible(result.target)
    last = max(point.x for point in points.values())
    for node, name in names.items():
        point = points[node]
        side = 1 if point.x == last else -1
        leaning = [
            _aside(points[i], points[j])
            for edge in result.drawn_edges
            for i, j in [_ends(result, edge)]
            if points[i].x == points[j].x == point.x and (result.edges[edge] >= 0) == (side > 0)
        ]
        figure.add_annotation(
            text=name,
            x=point.x + side * max(leaning, default=0.0),
            y=point.y,
            xanchor="left" if side > 0 else "right",
            xshift=side * 10,
        )


def circuit_sizes(result: Circuit) -> go.Figure:
    """Faithfulness over the share of all nodes, with random circuits behind."""
    figure = style.canvas(320, left=56, right=14)
    shares = list(SHARES)
    marks.spread(figure, SHARES, result.random)
    for name, label, colour, _ in LOOKS:
        values = getattr(result, name)
        figure.add_scatter(
            x=shares,
            y=values.round(4).tolist(),
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"color": colour, "size": 6},
            customdata=[
                [f"{int(size):,} nodes, {label}", style.plain(value, 3)]
                for size, value in zip(result.sizes, values, strict=True)
            ],
            hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
        )
    ticks = [share for share in SHARES if share in (0.001, 0.01, 0.1, 1.0)]
    figure.update_xaxes(
        type="log",
        title="share of all nodes",
        tickvals=ticks,
        ticktext=["0.1 %", "1 %", "10 %", "100 %"],
        showgrid=False,
    )
    figure.update_yaxes(title="brought back (share of the gap)", zerolinewidth=2)
    style.note(
        figure,
        style.key(*((colour, label, "▬") for *_, colour, label in LOOKS)),
        style.swatch(style.FAINT, f"{len(result.random)} random circuits", "■"),
    )
    return figure
