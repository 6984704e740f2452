"""How much circuits of every size bring back: their nodes alone, and all others."""

import plotly.graph_objects as go

from analysis.drawing import marks, style
from analysis.experiments.circuit.measured import SHARES, Circuit

LOOKS = (
    ("alone", "alone", style.TARGET, "the first nodes alone"),
    ("complement", "all others", style.FOIL, "all nodes but these"),
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
