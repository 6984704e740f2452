"""The sweep of the search, drawn as every sweep."""

import plotly.graph_objects as go

from analysis.experiments.find.compute import Found
from analysis.experiments.neuron_sweep.figures import neuron_sweep


def found(result: Found) -> go.Figure:
    """Every neuron by what it recovers."""
    return neuron_sweep(result.sweep)
