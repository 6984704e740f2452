"""What the share on held-out pairs rests on."""

from collections.abc import Iterator

import numpy as np

from analysis.experiments.circuit.facts import Facts
from analysis.experiments.circuit.measured import Circuit
from analysis.grounds import Ground


def grounds(facts: Facts, result: Circuit) -> Iterator[Ground]:
    """Pairs of prompts are the sample."""
    if result.drawn_edges and facts.held_out and np.isfinite(facts.held_out.low):
        yield Ground("held_out", {"prompt_pair": len(result.held_out)}, "bootstrap")
