"""Whether a few neurons are enough, and whether they are so on other pairs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.criteria import ENOUGH, HALF, MORE_THAN_ALL, MUCH_MORE, SMALL_SET, TOLERABLE
from analysis.experiments.neuron_sets.measured import CONTROLS, ORDERS, SHARES, NeuronSets
from analysis.experiments.neuron_sets.rankings import CANDIDATES
from analysis.grounds import Ground
from analysis.numbers.estimates import Estimate
from analysis.pair_facts import verdicts as verdicts

EXACT, ATTRIBUTION, GREEDY = range(len(ORDERS))
RESTORED, LOST = range(2)

Verdict = Literal["enough", "begins", "none"]
"""A small set brings back half, and more add little; or more add much; or none is small."""


@dataclass(frozen=True)
class Set:
    """The first neurons of the greedy order."""

    size: int
    names: tuple[str, ...]  # none of a set that is too large to be listed
    recovery: float  # on the pair that chose it
    lost: float
    held_out: Estimate | None  # recovery on other pairs, with its interval


@dataclass(frozen=True)
class Step:
    """The first so many neurons of each order: where a reader's slider may stand."""

    place: int  # from 1
    size: int
    greedy: float  # recovery
    exact: float
    attribution: float
    diff: float  # logit difference with those of the greedy order in place
    written: str  # what the model then writes on


@dataclass(frozen=True)
class Smallest:
    """The smallest set that brings back a share, by order, and the greedy one on other pairs."""

    share: float
    greedy: int  # 0 where no size does
    exact: int
    attribution: int
    held_out: Estimate | None
    holds: bool  # whether the other pairs have no less, beyond doubt
    fails: bool  # whether they have less, beyond doubt


@dataclass(frozen=True)
class Facts:
    """How many neurons it takes."""

    verdict: Verdict
    first: Set  # the smallest that is enough, or that brings back half; else of the smallest size
    larger: Set  # so many times as large, or the largest
    candidates: int  # those that recover most alone, of whom the greedy order takes its first
    half: int  # neurons for half of the difference, greedily; 0 where no size does
    halves: tuple[str, ...]  # those, where they are few enough to be listed
    half_elsewhere: Estimate | None  # what those bring back on other pairs
    largest: Set
    beyond: bool  # whether the largest brings back more than there is, on the pair
    only_on_pair: bool  # whether it does not on the other pairs
    adds_on_others: bool  # whether, on other pairs, the largest brings much more than the first
    smallest: tuple[Smallest, ...]
    at_size: tuple[float, ...]  # recovery of the size that was asked about, by order
    steps: tuple[Step, ...]
    begin: Step  # that of the size that was asked about, or the next larger
    everything: float  # all neurons together
    fewer_do_more: bool  # whether twenty bring back more than all
    necessary: bool  # whether half is lost without the first set
    random: float  # the largest share, in size, that any random set brings back
    matched: float  # the same of the matched sets as large as the first
    controls_most: float  # that any control as large as the first set brings back
    beside_controls: bool  # whether the first set brings more
    area: tuple[float, ...]  # by order
    greedy_gains: bool  # whether that of greedy is larger by more than can be neglected
    gradient_agrees: bool  # whether that of attribution is as large as that of exact


def facts(result: NeuronSets) -> Facts:
    """Read them off."""
    verdict, first = _verdict(result)
    steps = tuple(_steps(result))
    largest = _set(result, int(result.control_sizes[-1]))
    beyond = [size for size in result.control_sizes if size >= ENOUGH * first]
    twenty = float(_at(result, min(20, largest.size))[RESTORED, GREEDY])
    chosen, others = _set(result, first), largest.held_out
    half, smallest = SHARES.index(HALF), tuple(_smallest(result, i) for i in range(len(SHARES)))
    at_first = result.controls[:, RESTORED, :, int(np.argmax(result.control_sizes >= first))]
    exact, attribution, greedy = area = result.area[RESTORED].tolist()
    return Facts(
        verdict=verdict,
        first=chosen,
        larger=_set(result, int(beyond[0]) if beyond else largest.size),
        candidates=min(CANDIDATES, result.shortlist),
        half=(size := smallest[half].greedy),
        halves=tuple(result.names("greedy")[:size]) if size <= SMALL_SET else (),
        half_elsewhere=smallest[half].held_out,
        largest=largest,
        beyond=largest.recovery > MORE_THAN_ALL,
        only_on_pair=others is not None and others.mean <= MORE_THAN_ALL,
        adds_on_others=_mean(largest) - _mean(chosen) > MUCH_MORE,
        smallest=smallest,
        at_size=tuple(result.size_shares[RESTORED].tolist()),
        steps=steps,
        begin=steps[int(np.argmax(result.sizes >= result.size))],
        everything=float(result.everything[RESTORED]),
        fewer_do_more=bool(twenty > result.everything[RESTORED]),
        necessary=chosen.lost >= HALF,
        random=float(np.abs(result.controls[CONTROLS.index("random"), RESTORED]).max()),
        matched=float(np.abs(at_first[CONTROLS.index("matched")]).max()),
        controls_most=float(at_first.max()),
        beside_controls=chosen.recovery > float(at_first.max()),
        area=tuple(area),
        greedy_gains=greedy - exact > TOLERABLE,
        gradient_agrees=abs(attribution - exact) <= TOLERABLE,
    )


def grounds(found: Facts, result: NeuronSets) -> Iterator[Ground]:
    """Pairs of prompts are the sample; each set's interval holds by itself."""
    if found.first.held_out and np.isfinite(found.first.held_out.low):
        yield Ground("held_out", {"prompt_pair": len(result.held_out)}, "bootstrap")


def _verdict(result: NeuronSets) -> tuple[Verdict, int]:
    """What the greedy curve shows, and at which size; other pairs decide where there are any."""
    sizes = result.control_sizes
    curve = result.at_control_sizes[RESTORED, GREEDY]
    if len(result.held_out):
        curve = result.held_out_shares[RESTORED, GREEDY, :, 0]
    halves = [i for i, share in enumerate(curve) if share >= HALF]
    for i in halves:
        later = curve[(sizes > sizes[i]) & (sizes <= ENOUGH * sizes[i])]
        if sizes[i] <= SMALL_SET and (later - curve[i] < MUCH_MORE).all():
            return "enough", int(sizes[i])
    if halves and sizes[halves[0]] <= SMALL_SET:
        return "begins", int(sizes[halves[0]])
    return "none", int(sizes[halves[0]] if halves else sizes[np.argmax(sizes >= SMALL_SET)])


def _at(result: NeuronSets, size: int) -> np.ndarray:
    """Shares of every order at the first of the sizes that is not smaller."""
    shares: np.ndarray = result.shares[:, :, int(np.argmax(result.sizes >= size))]
    return shares


def _set(result: NeuronSets, size: int) -> Set:
    recovery, lost = _at(result, size)[:, GREEDY].tolist()
    names = tuple(result.names("greedy")[:size]) if size <= SMALL_SET else ()
    if not result.held_out:
        return Set(size, names, recovery, lost, None)
    place = result.control_sizes.tolist().index(size)
    found = Estimate(*result.held_out_shares[RESTORED, GREEDY, place].tolist())
    return Set(size, names, recovery, lost, found)


def _steps(result: NeuronSets) -> Iterator[Step]:
    gap = result.clean_diff - result.corrupted_diff
    restored = result.shares[RESTORED].T.tolist()
    sizes, texts = result.sizes.tolist(), result.continuations
    for place, (size, shares, text) in enumerate(zip(sizes, restored, texts, strict=True), 1):
        greedy = shares[GREEDY]
        diff = result.corrupted_diff + greedy * gap
        yield Step(place, size, greedy, shares[EXACT], shares[ATTRIBUTION], diff, text)


def _mean(found: Set) -> float:
    """What a set brings back on other pairs, or on its own where there are none."""
    return found.recovery if found.held_out is None else found.held_out.mean


def _smallest(result: NeuronSets, place: int) -> Smallest:
    sizes, share = result.smallest[:, place].tolist(), SHARES[place]
    found = result.over_pairs(result.held_out_smallest[:, GREEDY, place])
    confirmed = bool(len(result.held_out) and sizes[GREEDY])
    return Smallest(
        share=share,
        greedy=sizes[GREEDY],
        exact=sizes[EXACT],
        attribution=sizes[ATTRIBUTION],
        held_out=found if confirmed else None,
        holds=confirmed and found.low >= share,
        fails=confirmed and found.high < share,
    )
