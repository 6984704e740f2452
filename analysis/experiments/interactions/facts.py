"""Whether the best neurons add up, and which two do not."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.criteria import MOST
from analysis.experiments.interactions.compute import Interactions, Kind
from analysis.grounds import Ground
from analysis.numbers.estimates import Estimate
from analysis.pair_facts import verdicts as verdicts


@dataclass(frozen=True)
class Two:
    """Two neurons, the earlier first."""

    first: str
    second: str
    alone: tuple[float, float]
    together: float
    excess: float
    kind: Kind
    in_line: bool  # whether the first acts through the second
    through: float  # what the first recovers through the second
    one_layer: bool

    @property
    def opposed(self) -> bool:
        """Whether alone they move the answer in opposite ways."""
        return self.alone[0] * self.alone[1] < 0


@dataclass(frozen=True)
class HeldOut:
    """The very best on held-out pairs of prompts."""

    pairs: int
    differing: int  # of these, that do not add up on the pair that chose them
    kept: int  # of those, that do not add up there either, in the same direction, beyond doubt
    strongest: Two  # of these pairs the one with the largest excess, by the pair that chose them
    tried: bool  # whether that is the one with the largest excess of all pairs
    excess: Estimate  # of that one
    holds: bool  # whether it does not add up there either


@dataclass(frozen=True)
class Facts:
    """Pairs of neurons."""

    pairs: int
    redundant: int  # pairs of each kind
    additive: int
    synergistic: int
    mostly_add: bool
    none_differ: bool  # whether all of them add up
    in_line: int  # of those that do not add up
    beside: int
    mostly_in_line: bool
    strongest: Two | None  # the pair with the largest excess; None of a single neuron
    synergy: Two | None  # the strongest pair that needs each other
    chief: Two | None  # the two best by themselves
    held_out: HeldOut | None  # None without held-out pairs, or of a single neuron


def facts(result: Interactions) -> Facts:
    """Read them off."""
    pairs = result.pairs
    kinds = [result.kind(*pair) for pair in pairs]
    lines = [result.in_line(*pair) for pair in pairs]
    differing = sum(kind != "additive" for kind in kinds)
    by_size = sorted(pairs, key=lambda pair: -abs(result.excess[pair]))
    best = np.sort(np.argsort(-result.recovery, kind="stable")[:2]).tolist()
    return Facts(
        pairs=len(pairs),
        redundant=kinds.count("redundant"),
        additive=kinds.count("additive"),
        synergistic=kinds.count("synergistic"),
        mostly_add=kinds.count("additive") > MOST * len(pairs),
        none_differ=not differing,
        in_line=sum(lines),
        beside=differing - sum(lines),
        mostly_in_line=sum(lines) > MOST * differing,
        strongest=_two(result, *by_size[0]) if pairs else None,
        synergy=next(
            (_two(result, *pair) for pair in by_size if result.kind(*pair) == "synergistic"), None
        ),
        chief=_two(result, *best) if pairs else None,
        held_out=_held_out(result, by_size),
    )


def grounds(found: Facts, result: Interactions) -> Iterator[Ground]:
    """Pairs of prompts are the sample."""
    if found.held_out and np.isfinite(found.held_out.excess.low):
        yield Ground("on_others", {"prompt_pair": len(result.held_out)}, "bootstrap")


def _held_out(result: Interactions, by_size: list[tuple[int, int]]) -> HeldOut | None:
    found = {pair: excess for pair in by_size if (excess := result.over_held_out(*pair))}
    if not found:
        return None
    differing = [pair for pair in found if result.kind(*pair) != "additive"]
    kept = [pair for pair in differing if _same(result, pair, found[pair])]
    strongest = next(iter(found))
    return HeldOut(
        pairs=len(found),
        differing=len(differing),
        kept=len(kept),
        strongest=_two(result, *strongest),
        tried=strongest == by_size[0],
        excess=found[strongest],
        holds=strongest in kept,
    )


def _same(result: Interactions, pair: tuple[int, int], other: Estimate) -> bool:
    """Whether other pairs have an excess of the same sign, of more than nothing beyond doubt."""
    nearest = other.low if result.excess[pair] > 0 else -other.high
    return abs(other.mean) >= result.least and nearest > 0


def _two(result: Interactions, first: int, second: int) -> Two:
    names = result.neurons[first], result.neurons[second]
    return Two(
        first=names[0],
        second=names[1],
        alone=(float(result.recovery[first]), float(result.recovery[second])),
        together=float(result.together[first, second]),
        excess=float(result.excess[first, second]),
        kind=result.kind(first, second),
        in_line=result.in_line(first, second),
        through=float(result.through[first, second]),
        one_layer=names[0].split("N")[0] == names[1].split("N")[0],
    )
