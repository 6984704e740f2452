"""What the recovery on held-out pairs rests on."""

from collections.abc import Iterator

from analysis.experiments.neuron_sweep.facts import Facts
from analysis.experiments.neuron_sweep.measured import NeuronSweep
from analysis.grounds import Ground


def grounds(facts: Facts, _result: NeuronSweep) -> Iterator[Ground]:
    """Pairs of prompts are the sample; the candidates' intervals hold each by itself."""
    if facts.held_out and facts.held_out.recovery.bounded:
        yield Ground("held_out", {"prompt_pair": facts.held_out.pairs}, "bootstrap")
