"""What the split on held-out pairs rests on."""

from collections.abc import Iterator

from analysis.experiments.composition.compute import Composition
from analysis.experiments.composition.facts import Facts
from analysis.grounds import Ground, Unit


def grounds(facts: Facts, result: Composition) -> Iterator[Ground]:
    """Pairs of prompts are the sample."""
    pairs: dict[Unit, int] = {"prompt_pair": len(result.held_out)}
    if facts.held_out:
        yield Ground("held_out", pairs, "bootstrap")
    if facts.pushed:
        yield Ground("pushed", pairs, "bootstrap")
