"""Whether one neuron both writes the word and carries it here."""

from dataclasses import dataclass
from typing import Any

from analysis.criteria import SAYS
from analysis.experiments.find.compute import Found, summary
from analysis.experiments.neuron_sweep import facts as neuron_sweep
from analysis.experiments.writers.compute import Writer


@dataclass(frozen=True)
class Facts:
    """Who stands high on which list."""

    sweep: neuron_sweep.Facts  # what patching shows
    writer: Writer  # the neuron whose weights write the target most
    both: tuple[str, ...]  # neurons that are on both lists
    says: bool  # whether one neuron stands out and carries enough to say the word alone


def facts(result: Found) -> Facts:
    """Read it off both lists."""
    both = tuple(summary(result)["on_both_lists"])
    sweep = neuron_sweep.facts(result.sweep)
    says = sweep.leads and sweep.beyond_noise and sweep.recovery[0] >= SAYS
    return Facts(sweep, result.writers[0], both, says)


def verdicts(result: Found) -> dict[str, Any]:
    """Whether the pair leaves anything to explain, in plain values."""
    return neuron_sweep.verdicts(result.sweep)
