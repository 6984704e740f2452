"""Whether the neuron that one pair chose is also the best on pairs that did not choose it."""

import numpy as np
from markupsafe import Markup

from analysis.claims.wording import count, ordinal, percent, plural, say, share_span
from analysis.experiments.neuron_sweep import NeuronSweep
from analysis.numbers.statistics import ratio_interval

SEED = 0
NOTABLE = 0.05
"""A neuron is notable when it alone moves this share of the difference, either way."""


def shares(sweep: NeuronSweep) -> np.ndarray:
    """Share of the held-out gap that each candidate brings back, sums over sums."""
    return np.asarray(sweep.held_out_effect.sum(0) / sweep.held_out_gap.sum())


def interval(sweep: NeuronSweep, candidate: int) -> tuple[float, float]:
    """Interval of a candidate's share, over the held-out pairs."""
    return ratio_interval(sweep.held_out_effect[:, candidate], sweep.held_out_gap, SEED)


def holds(sweep: NeuronSweep) -> bool:
    """Whether the best neuron is first on held-out pairs too, clearly above nothing."""
    if not len(sweep.held_out_gap):
        return False
    return bool(shares(sweep).argmax() == 0 and interval(sweep, 0)[0] > NOTABLE)


def held_out_rank(sweep: NeuronSweep) -> int:
    """Rank of the best neuron among the candidates by its share on held-out pairs."""
    return 1 + int((shares(sweep) > shares(sweep)[0]).sum())


def confirmed(sweep: NeuronSweep) -> Markup:
    """Whether the best neuron is first on pairs that did not choose it, of those patched there."""
    if not len(sweep.held_out_gap):
        return say("The choice was not confirmed: there are no held-out prompts for this question.")
    values, best = shares(sweep), sweep.candidates[0]
    told = say(
        " Over {} it recovers {} ({}).",
        plural(len(sweep.held_out_gap), "other pair", "other pairs"),
        percent(float(values[0])),
        share_span(*interval(sweep, 0)),
    )
    if len(values) == 1:
        verdict = "confirm" if holds(sweep) else "do not clearly confirm"
        return say("Held-out prompts {} {}.", verdict, best) + told
    return say("On held-out prompts {} is {}.", best, _place(sweep)) + told


def _place(sweep: NeuronSweep) -> str:
    """Its rank among the neurons that were patched on held-out pairs, and whether it is clear."""
    among = f"among its {count(len(sweep.candidates))} candidates"
    if holds(sweep):
        return f"also first {among}"
    if held_out_rank(sweep) == 1:
        return f"first {among}, but not clearly so"
    return f"not first: {ordinal(held_out_rank(sweep))} {among}"


def candidates(sweep: NeuronSweep) -> Markup:
    """How often it is the strongest, and how many candidates hold up."""
    if not len(sweep.held_out_gap):
        return say("So the ranking is that of one pair of prompts, and no more.")
    told = say(
        "It is the strongest candidate in {} of the {}. ",
        count(wins(sweep)),
        plural(len(sweep.held_out_gap), "pair", "pairs"),
    )
    if len(sweep.held_out_gap) == 1:
        return told + say("There is no interval: one pair does not tell how others would differ.")
    if not np.isfinite(interval(sweep, 0)).all():
        return told + say(
            "There is no interval: the gaps of these pairs have either sign, and a resampled sum "
            "of them can be zero."
        )
    return told + _above_zero(sweep)


def wins(sweep: NeuronSweep) -> int:
    """Held-out pairs in which the best neuron brings back more of the gap than the others."""
    towards = sweep.held_out_effect * np.sign(sweep.held_out_gap)[:, None]
    return int((towards.argmax(1) == 0).sum())


def _above_zero(sweep: NeuronSweep) -> Markup:
    """How many of the candidates hold up on the held-out pairs."""
    above = sum(interval(sweep, i)[0] > 0 for i in range(len(sweep.candidates)))
    if above == len(sweep.candidates) == 1:
        return say("Its interval lies above zero.")
    if above == len(sweep.candidates):
        return say("All {} candidates keep an interval above zero.", count(above))
    return say(
        "Of the {} best on the first pair, {} an interval above zero on the others; the rest of "
        "that list did not hold up.",
        count(len(sweep.candidates)),
        "none keeps" if not above else f"only {plural(above, 'keeps', 'keep')}",
    )


def caption(sweep: NeuronSweep) -> Markup:
    """What the figure of the held-out pairs shows."""
    return say("Pairs that took no part in the choice. ") + confirmed(sweep)
