"""Which neuron writes a token most."""

from dataclasses import dataclass

from analysis.experiments.writers.compute import Writer, Writers


@dataclass(frozen=True)
class Facts:
    """The neuron that writes it most."""

    first: Writer


def facts(result: Writers) -> Facts:
    """Read it off."""
    return Facts(result.writers[0])
