"""What it costs to measure a circuit."""

from analysis.cost import whole
from analysis.experiments.circuit.compute import EDGE_SIZES, NODES, SHORTLIST
from analysis.experiments.circuit.measured import SHARES
from analysis.experiments.circuit.sets import DRAWS, from_end
from analysis.inputs import Inputs
from analysis.subject import Subject

PASSES = 4
"""Whole readings of a prompt that make its run ready."""

POSSIBLE = NODES**2 // 3
"""Edges that there can be, about: a node sees the earlier ones at most, and not every position."""


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer: nodes alone, edges, sets of nodes, and the prompts."""
    pair = given.question.pair(subject)
    prompts = PASSES * whole(subject, pair.clean.text, pair.corrupted.text)
    return _patches(subject, from_end(pair)) + prompts * (1 + int(given["held_out"]))


def _patches(subject: Subject, suffix: int) -> int:
    """Patches go from their layer to the end, sets of nodes through all layers."""
    layers = subject.n_layers
    followed = (2 * SHORTLIST + POSSIBLE) * (layers + 1) // 2
    answered = NODES * min(layers, NODES) + 2 * NODES * (1 + len(EDGE_SIZES))
    sets = (2 + DRAWS + (2 + DRAWS) * len(SHARES)) * layers
    return suffix * (followed + answered + sets)


def cheaper(subject: Subject, given: Inputs, most: int) -> str:
    """How to ask for less: fewer tokens from the first difference on."""
    pair = given.question.pair(subject)
    fits = [n for n in range(1, from_end(pair)) if _patches(subject, n) < most]
    return f"bring the difference within {fits[-1]} tokens of the end" if fits else ""
