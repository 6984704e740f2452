"""Letters as bars."""

import plotly.graph_objects as go

from analysis.drawing import style
from tests.toy_experiment.compute import ToyExperiment


def toy_experiment(result: ToyExperiment) -> go.Figure:
    """A bar for each token."""
    labels = [f"{place} {style.visible(token)}" for place, token in enumerate(result.tokens)]
    figure = go.Figure(go.Bar(x=labels, y=result.letters.tolist()))
    return figure.update_layout(height=240, yaxis_title="letters")
