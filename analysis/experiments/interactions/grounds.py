"""What the excess on held-out pairs rests on."""

from collections.abc import Iterator

import numpy as np

from analysis.experiments.interactions.compute import Interactions
from analysis.experiments.interactions.facts import Facts
from analysis.grounds import Ground


def grounds(facts: Facts, result: Interactions) -> Iterator[Ground]:
    """Pairs of prompts are the sample."""
    if facts.held_out and np.isfinite(facts.held_out.excess.low):
        yield Ground("on_others", {"prompt_pair": len(result.held_out)}, "bootstrap")
