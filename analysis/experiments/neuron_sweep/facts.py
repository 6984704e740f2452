"""Which single neurons carry the difference, and whether the choice holds on other prompts."""

from dataclasses import dataclass

import numpy as np

from analysis.criteria import (
    AGREEMENT,
    CLEAR_OF_NOISE,
    LEAD,
    MANY,
    NOTABLE,
    SCREEN_SIZE,
    TOLERABLE,
)
from analysis.experiments.neuron_sweep.compute import NeuronSweep
from analysis.neuron import Neuron, parse_neuron
from analysis.numbers.statistics import ratio_interval

SEED = 0


@dataclass(frozen=True)
class HeldOut:
    """Pairs that took no part in choosing the candidates.

    Attributes:
        pairs: how many.
        recovery, interval: share of their gap that the best neuron brings back, sums over sums.
        bounded: whether there is an interval.
        rank: of the best neuron among the candidates, by that share.
        holds: whether it is first, and clearly above nothing.
        wins: pairs in which it brings back more of the gap than the other candidates.
        above_zero: candidates whose interval lies above zero.
        flattered: whether it recovers less than on the pair that chose it.
    """

    pairs: int
    recovery: float
    interval: tuple[float, float]
    bounded: bool
    rank: int
    holds: bool
    wins: int
    above_zero: int
    flattered: bool


@dataclass(frozen=True)
class Attribution:
    """The first-order estimate beside what was measured.

    Attributes:
        rank: of the best neuron by size of its estimate.
        reach: the lowest such rank of any candidate.
        finds: whether a screen of ten neurons would have held the best one.
        estimate: of the best neuron.
        right, over: whether that is about what was measured, whether it is more.
        error: the largest of any neuron.
        correlation: of estimates and measurements; None where one side does not vary.
        agrees: whether it is high.
    """

    rank: int
    reach: int
    finds: bool
    estimate: float
    right: bool
    over: bool
    error: float
    correlation: float | None
    agrees: bool


@dataclass(frozen=True)
class Facts:
    """What the sweep shows.

    Attributes:
        neurons, measured: how many there are, how many of them were patched.
        recovery: of each candidate, on the pair that chose it.
        leads: whether the best one stands out from the next, if there is one.
        beyond_noise: whether rounding cannot have made its recovery.
        change: of its activation, from the corrupted to the clean prompt.
        falling: candidates whose activation falls.
        notable, many: neurons that move a notable share either way; whether those are many.
        median: share that the median neuron moves, either way.
        against: neurons that work against the answer by a notable share.
        lowest, lowest_recovery: the neuron that does so most.
        held_out: whether the choice holds on other pairs; None where there are none.
        attribution: how good a screen it would have been.
        threshold: the share that is notable.
    """

    neurons: int
    measured: int
    recovery: tuple[float, ...]
    leads: bool
    beyond_noise: bool
    change: float
    falling: int
    notable: int
    many: bool
    median: float
    against: int
    lowest: str
    lowest_recovery: float
    held_out: HeldOut | None
    attribution: Attribution
    threshold: float = NOTABLE


def facts(result: NeuronSweep) -> Facts:
    """Read them off."""
    places = [parse_neuron(name, *result.recovery.shape) for name in result.candidates]
    best, *others = recovery = [float(result.recovery[place]) for place in places]
    changes = [float(result.activation_change[place]) for place in places]
    measured = np.where(result.exact, result.recovery, np.inf)
    lowest = Neuron(*map(int, np.unravel_index(measured.argmin(), measured.shape)))
    sizes = np.abs(result.recovery[result.exact])
    notable = int((sizes >= NOTABLE).sum())
    return Facts(
        neurons=result.recovery.size,
        measured=len(sizes),
        recovery=tuple(recovery),
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
    )


def _held_out(result: NeuronSweep, chosen: float) -> HeldOut | None:
    gaps, effects = result.held_out_gap, result.held_out_effect
    if not len(gaps):
        return None
    shares = effects.sum(0) / gaps.sum()
    intervals = [ratio_interval(column, gaps, SEED) for column in effects.T]
    (low, high), rank = intervals[0], 1 + int((shares > shares[0]).sum())
    towards = effects * np.sign(gaps)[:, None]
    return HeldOut(
        pairs=len(gaps),
        recovery=float(shares[0]),
        interval=(low, high),
        bounded=bool(np.isfinite([low, high]).all()),
        rank=rank,
        holds=rank == 1 and low > NOTABLE,
        wins=int((towards.argmax(1) == 0).sum()),
        above_zero=sum(least > 0 for least, _ in intervals),
        flattered=float(shares[0]) < chosen,
    )


def _attribution(result: NeuronSweep, places: list[Neuron]) -> Attribution:
    order = np.argsort(-np.abs(result.attribution), axis=None, kind="stable")
    ranks = np.empty(order.size, dtype=int)
    ranks[order] = np.arange(1, order.size + 1)
    reached = [int(ranks.reshape(result.attribution.shape)[place]) for place in places]
    estimate, truth = float(result.attribution[places[0]]), float(result.recovery[places[0]])
    estimates, truths = result.attribution[result.exact], result.recovery[result.exact]
    correlation = _correlation(estimates, truths)
    return Attribution(
        rank=reached[0],
        reach=max(reached),
        finds=reached[0] <= SCREEN_SIZE,
        estimate=estimate,
        right=abs(estimate - truth) < TOLERABLE,
        over=estimate > truth,
        error=float(np.abs(estimates - truths).max()),
        correlation=correlation,
        agrees=correlation is not None and correlation > AGREEMENT,
    )


def _correlation(estimates: np.ndarray, truths: np.ndarray) -> float | None:
    """Pearson's; None where one side does not vary."""
    if len(truths) < 2 or not estimates.std() or not truths.std():
        return None
    return float(np.corrcoef(estimates, truths)[0, 1])
