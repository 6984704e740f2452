"""Starts the app: ``python -m space``, or ``an-neuron app``."""

from space.launch import make, serve

serve(make())
