"""Which single neurons carry the difference, and whether the choice holds on other prompts."""

from dataclasses import dataclass
from functools import cache
from statistics import median

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
from analysis.experiments.neuron_sweep.screens import DEFAULT, MODEL, SIZES, Bench, kept, models
from analysis.intervals import Interval
from analysis.neuron import Neuron, parse_neuron
from analysis.numbers.estimates import Estimate
from analysis.pair_facts import PairFacts, pair_facts
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
class Screen:
    """A way to rank neurons that a sweep could be screened by."""

    name: str
    recall: tuple[float, ...]  # of the ``SIZES`` of largest effect, those among as many first
    missed: float  # the largest effect that is not among its first fifty on any pair, in logits
    missed_share: float  # the largest such effect as a share of the pair's gap
    seconds: float  # CPU time that it takes, median over the pairs
    until: float  # until the fifty of largest effect are measured, if it says which come first
    times: float  # that, in times of what it takes by attribution


@dataclass(frozen=True)
class Benched:
    """Estimates beside the truth of every neuron, on pairs of several questions (``screens``)."""

    model: str
    pairs: int  # how many, and of how many questions
    questions: int
    exact: float  # CPU time of patching every neuron of a pair
    attribution: Screen
    others: tuple[Screen, ...]  # the soonest first
    wins: bool  # whether with none of them all fifty are measured sooner
    mean_recall: tuple[float, float]  # of ten and fifty, for the mean over a question's pairs
    mean_missed: tuple[float, float]  # the largest effect missed of ten and of fifty, in logits
    mean_missed_share: tuple[float, float]  # the largest of these as shares of the gap
    sizes: tuple[int, ...]  # recall is told of so many neurons
    size: int  # of these the one by which estimates are judged


@dataclass(frozen=True)
class Facts:
    """What the sweep shows."""

    pair: PairFacts  # whether the pair leaves anything to explain
    pairs: int  # how many chose together
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
    benched: Benched  # how good a screen it is on other pairs
    benched_too: tuple[Benched, ...]  # and on other models
    threshold: float = NOTABLE  # the share that is notable


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
        pair=pair_facts(result.clean_diff, result.corrupted_diff),
        pairs=len(result.selection),
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
        benched=benched(),
        benched_too=tuple(benched(model) for model in models()[1:]),
    )


@cache
def benched(model: str = MODEL) -> Benched:
    """What the bench of screens found on a model."""
    found, size = kept(model), SIZES[1]
    own, *others = sorted(
        (_estimate(found, name, size) for name in found.screens),
        key=lambda each: (each.name != DEFAULT, each.until),
    )
    missed, share = zip(*(found.missed(DEFAULT, s, True) for s in SIZES[:2]), strict=True)
    rows = found.of(DEFAULT)
    return Benched(
        model=found.model,
        pairs=len(rows),
        questions=len({row.question for row in rows}),
        exact=median(row.exact_seconds for row in rows),
        attribution=own,
        others=tuple(others),
        wins=found.winner(size) == DEFAULT,
        mean_recall=(found.recall(DEFAULT, SIZES[0], True), found.recall(DEFAULT, size, True)),
        mean_missed=missed,
        mean_missed_share=share,
        sizes=SIZES,
        size=size,
    )


def _estimate(found: Bench, name: str, size: int) -> Screen:
    until = found.until(name, size)
    return Screen(
        name,
        tuple(found.recall(name, each) for each in SIZES),
        *found.missed(name, size),
        found.seconds(name),
        until,
        until / found.until(DEFAULT, size),
    )


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
