"""The figure of experiment 20 for what the model would say next."""

import numpy as np
import plotly.graph_objects as go

from analysis.drawing import style
from analysis.experiments.crossed.compute import Crossed


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
