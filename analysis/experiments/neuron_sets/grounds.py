"""What the shares on held-out pairs rest on."""

from collections.abc import Iterator

import numpy as np

from analysis.experiments.neuron_sets.facts import Facts
from analysis.experiments.neuron_sets.measured import NeuronSets
from analysis.grounds import Ground


def grounds(facts: Facts, result: NeuronSets) -> Iterator[Ground]:
    """Pairs of prompts are the sample; each set's interval holds by itself."""
    if facts.first.held_out and np.isfinite(facts.first.held_out.low):
        yield Ground("held_out", {"prompt_pair": len(result.held_out)}, "bootstrap")
