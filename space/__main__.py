"""Starts the app: ``python -m space``, or ``an-neuron app``."""

from analysis.imports import uncollected

with uncollected():
    from space.launch import make, serve

serve(make())
