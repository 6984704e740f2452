"""What the comparison with random directions rests on."""

from collections.abc import Iterator

from analysis.experiments.direct_effect.compute import DirectEffect
from analysis.experiments.direct_effect.facts import Facts
from analysis.grounds import Ground


def grounds(_facts: Facts, result: DirectEffect) -> Iterator[Ground]:
    """Rotations are drawn at random."""
    yield Ground("rotations", {"rotation": len(result.rotated_best)}, "wilson")
