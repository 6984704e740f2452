"""What the claim about the loss on news rests on."""

from collections.abc import Iterator

from analysis.experiments.weight_modulation.compute import TRIED, WeightModulation
from analysis.experiments.weight_modulation.facts import Facts
from analysis.grounds import Ground


def grounds(_facts: Facts, result: WeightModulation) -> Iterator[Ground]:
    """Texts of news are the sample."""
    yield Ground("loss", {"article": result.texts}, "bootstrap", TRIED)
