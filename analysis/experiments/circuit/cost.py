"""What it costs to measure a circuit."""

from analysis.cost import patched, whole
from analysis.experiments.circuit.compute import NODES, SHORTLIST
from analysis.experiments.circuit.measured import SHARES
from analysis.experiments.circuit.sets import DRAWS
from analysis.inputs import Inputs
from analysis.subject import Subject

PASSES = 8
"""Whole prompts that are read to make either run ready, gradients counted."""


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer: nodes alone, edges, sets of nodes, and the prompts."""
    pair = given.question.pair(subject)
    suffix = len(pair.clean.tokens) - pair.start
    prompts = PASSES * whole(subject, pair.clean.text, pair.corrupted.text)
    return _patches(subject, suffix) + prompts * (1 + int(given["held_out"]))


def _patches(subject: Subject, suffix: int) -> int:
    """Patches are followed from their layer to the end; sets of nodes go through all layers."""
    alone = 2 * min(SHORTLIST, subject.n_layers * suffix)
    edges = NODES * (NODES + 1) // 2
    sets = (2 + DRAWS) * (1 + len(SHARES))
    return patched(subject, alone + edges, suffix) // subject.n_layers + (
        sets * suffix * subject.n_layers
    )


def cheaper(subject: Subject, given: Inputs, most: int) -> str:
    """How to ask for less: fewer tokens from the first difference on."""
    pair = given.question.pair(subject)
    longest = len(pair.clean.tokens) - pair.start
    fits = [n for n in range(1, longest) if _patches(subject, n) < most]
    return f"bring the difference within {fits[-1]} tokens of the end" if fits else ""
