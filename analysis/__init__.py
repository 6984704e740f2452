"""Finds the single neuron that makes a language model predict a word, and checks the claim."""

EMBEDDED = "smollm2-135m"
"""Name of the model that comes with the project and is asked when no other is named."""
