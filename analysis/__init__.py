"""Finds the single neuron that makes a language model predict a word, and checks the claim."""
