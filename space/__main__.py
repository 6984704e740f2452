"""Starts the app: ``python -m space``, or ``an-neuron app``."""

from analysis.imports import leave_all, uncollected

with uncollected():
    from space.launch import make, serve
leave_all()

serve(make())
