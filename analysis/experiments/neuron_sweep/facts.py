"""Which single neurons carry the difference, and whether the choice holds on other prompts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.criteria import (
    AGREEMENT,
    CLEAR_OF_NOISE,
    LEAD,
    MANY,
    MEDIATED,
    NOTABLE,
    SCREEN_SIZE,
    TOLERABLE,
)
from analysis.experiments.neuron_sweep.measured import NeuronSweep
from analysis.experiments.neuron_sweep.screens import Bench, kept, models, ranks
from analysis.grounds import Ground
from analysis.intervals import Interval
from analysis.neuron import Neuron, parse_neuron
from analysis.numbers.estimates import Estimate
from analysis.pair_facts import verdicts as verdicts


@dataclass(frozen=True)
class HeldOut:
    """Pairs that took no part in choosing the candidates."""

    pairs: int  # how many
    recovery: Interval  # share of their gap that the best neuron brings back, sums over sums
    noising: Estimate  # the share that is lost when it is corrupted in the clean prompt
    rank: int  # of the best neuron among the candidates, by that share
    holds: bool  # whether it is first, and clearly above nothing
    wins: int  # pairs in which it brings back more of the gap than the other candidates
    above_zero: int  # candidates whose interval lies above zero
    few: bool  # whether these are some, and fewer than half
    no_less: bool  # whether it recovers as much as on the pair that chose it
    flattered: bool  # whether it recovers less, beyond doubt


@dataclass(frozen=True)
class Next:
    """The second-best neuron, with the best held at its corrupted activation."""

    name: str
    recovery: float  # alone
    beside: float  # what does not run through the best one
    mediated: bool  # whether that is less than half


@dataclass(frozen=True)
class Attribution:
    """The first-order estimate beside what was measured."""

    rank: int  # of the best neuron by size of its estimate
    reach: int  # the lowest such rank of any candidate
    finds: bool  # whether a screen of ten neurons would have held the best one
    estimate: float  # of the best neuron
    right: bool  # whether that is about what was measured, whether it is more
    over: bool
    error: float  # the largest of any neuron
    correlation: float | None  # of estimates and measurements; None where one side does not vary
    agrees: bool  # whether it is high


@dataclass(frozen=True)
class Facts:
    """What the sweep shows."""

    neurons: int  # how many there are, how many of them were patched
    measured: int
    recovery: tuple[float, ...]  # of each candidate, on the pair that chose it
    noising: float  # share lost when the best one alone is corrupted in the clean run
    next: Next | None  # None where there is but one
    most_beside: Next | None  # the candidate that adds most beside the best one
    leads: bool  # whether the best one stands out from the next, if there is one
    beyond_noise: bool  # whether rounding cannot have made its recovery
    change: float  # of its activation, from the corrupted to the clean prompt
    falling: int  # candidates whose activation falls
    notable: int  # neurons that move a notable share either way; whether those are many
    many: bool
    median: float  # share that the median neuron moves, either way
    against: int  # neurons that work against the answer by a notable share
    lowest: str  # the neuron that does so most
    lowest_recovery: float
    held_out: HeldOut | None  # whether the choice holds on other pairs; None where there are none
    attribution: Attribution  # how good a screen it would have been
    benches: tuple[Bench, ...]  # how good a screen it is on other pairs, by model

    @property
    def helping(self) -> int:
        """Neurons that move a notable share towards the answer."""
        return self.notable - self.against


def facts(result: NeuronSweep) -> Facts:
    """Read them off."""
    places = [parse_neuron(name, *result.recovery.shape) for name in result.candidates]
    best, *others = recovery = [float(result.recovery[place]) for place in places]
    changes = [float(result.activation_change[place]) for place in places]
    measured = np.where(result.exact, result.recovery, np.inf)
    lowest = Neuron(*map(int, np.unravel_index(measured.argmin(), measured.shape)))
    sizes = np.abs(result.recovery[result.exact])
    notable = int((sizes >= NOTABLE).sum())
    after = [
        Next(name, alone, beside, abs(beside) < MEDIATED * abs(alone))
        for name, alone, beside in zip(
            result.candidates[1:], others, result.beside_best[1:].tolist(), strict=True
        )
    ]
    return Facts(
        neurons=result.recovery.size,
        measured=len(sizes),
        recovery=tuple(recovery),
        noising=float(result.noising[0]),
        next=after[0] if after else None,
        most_beside=max(after, key=lambda each: each.beside, default=None),
        leads=best >= NOTABLE and (not others or best >= LEAD * others[0]),
        beyond_noise=best > CLEAR_OF_NOISE * result.noise,
        change=changes[0],
        falling=sum(change < 0 for change in changes),
        notable=notable,
        many=notable >= MANY,
        median=float(np.median(sizes)),
        against=int((measured <= -NOTABLE).sum()),
        lowest=str(lowest),
        lowest_recovery=float(result.recovery[lowest]),
        held_out=_held_out(result, best),
        attribution=_attribution(result, places),
        benches=tuple(map(kept, models())),
    )


def grounds(found: Facts, _result: NeuronSweep) -> Iterator[Ground]:
    """Pairs of prompts are the sample; the candidates' intervals hold each by itself."""
    if found.held_out and found.held_out.recovery.bounded:
        yield Ground("held_out", {"prompt_pair": found.held_out.pairs}, "bootstrap")


def _held_out(result: NeuronSweep, chosen: float) -> HeldOut | None:
    gaps, effects = result.held_out_gap, result.held_out_effect
    if not len(gaps):
        return None
    best, *others = map(Interval.of, result.held_out_recovery)
    rank = 1 + sum(other.mean > best.mean for other in others)
    towards = effects * np.sign(gaps)[:, None]
    above = sum(each.low > 0 for each in result.held_out_recovery)
    return HeldOut(
        pairs=len(gaps),
        recovery=best,
        noising=result.held_out_noising_recovery[0],
        rank=rank,
        holds=rank == 1 and best.low > NOTABLE,
        wins=int((towards.argmax(1) == 0).sum()),
        above_zero=above,
        few=0 < 2 * above < len(result.held_out_recovery),
        no_less=best.mean >= chosen,
        flattered=best.high < chosen,
    )


def _attribution(result: NeuronSweep, places: list[Neuron]) -> Attribution:
    rank = ranks(result.attribution).reshape(result.attribution.shape)
    reached = [1 + int(rank[place]) for place in places]
    estimate, truth = float(result.attribution[places[0]]), float(result.recovery[places[0]])
    estimates, truths = result.attribution[result.exact], result.recovery[result.exact]
    agreement = correlation(estimates, truths)
    return Attribution(
        rank=reached[0],
        reach=max(reached),
        finds=reached[0] <= SCREEN_SIZE,
        estimate=estimate,
        right=abs(estimate - truth) < TOLERABLE,
        over=estimate > truth,
        error=float(np.abs(estimates - truths).max()),
        correlation=agreement,
        agrees=agreement is not None and agreement > AGREEMENT,
    )


def correlation(estimates: np.ndarray, truths: np.ndarray) -> float | None:
    """Pearson's; None where one side does not vary."""
    if len(truths) < 2 or not estimates.std() or not truths.std():
        return None
    return float(np.corrcoef(estimates, truths)[0, 1])
