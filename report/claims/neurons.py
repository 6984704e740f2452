"""Which single neurons carry the difference, and whether the choice holds on other prompts."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.experiments.neuron_sweep import NeuronSweep
from analysis.figures.style import power
from analysis.neuron import Neuron, parse_neuron
from analysis.numbers.statistics import ratio_interval
from report.claims import screening
from report.claims.wording import (
    count,
    number,
    ordinal,
    percent,
    plural,
    say,
    share_span,
    span,
)
from report.evidence import Evidence

SEED = 0
MANY = 20
NOTABLE = 0.05
"""A neuron is notable when it alone moves this share of the difference, either way."""


@dataclass(frozen=True)
class Neurons:
    """Claims about the sweep, its confirmation, and attribution as a screen."""

    heading: str
    how: Markup
    standing: Markup
    margin: Markup
    direction: Markup
    crowd: Markup
    against: Markup
    caption: Markup
    confirmed: Markup
    candidates: Markup
    confirmation_caption: Markup
    screen: Markup
    estimate: Markup
    attribution_caption: Markup
    wrong: Markup


def neurons(evidence: Evidence) -> Neurons:
    """Read the claims off the sweep."""
    sweep = evidence.neuron_sweep
    return Neurons(
        heading=_heading(sweep),
        how=_how(sweep),
        standing=standing(sweep),
        margin=_margin(sweep),
        direction=_direction(sweep),
        crowd=_crowd(sweep),
        against=_against(sweep),
        caption=_caption(sweep),
        confirmed=confirmed(sweep),
        candidates=_candidates(sweep),
        confirmation_caption=_confirmation_caption(sweep),
        screen=screening.screen(sweep),
        estimate=screening.estimate(sweep),
        attribution_caption=screening.caption(sweep),
        wrong=_wrong(sweep),
    )


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


def recovery_of(sweep: NeuronSweep, candidate: int) -> float:
    """Recovery of a candidate, 0 for the best, on the pair that chose it."""
    neuron = parse_neuron(sweep.candidates[candidate], *sweep.recovery.shape)
    return float(sweep.recovery[neuron])


def _top(sweep: NeuronSweep, candidate: int) -> tuple[str, float]:
    return sweep.candidates[candidate], recovery_of(sweep, candidate)


def ahead(sweep: NeuronSweep) -> bool:
    """Whether the best neuron recovers a good fifth more than the second, if there is one."""
    best = recovery_of(sweep, 0)
    alone = len(sweep.candidates) == 1
    return best >= NOTABLE and (alone or best >= 1.2 * recovery_of(sweep, 1))


def _heading(sweep: NeuronSweep) -> str:
    which = sweep.candidates[0] if ahead(sweep) else "none"
    return f"Of {plural(sweep.recovery.size, 'neuron', 'neurons')}, {which} stands out"


def _how(sweep: NeuronSweep) -> Markup:
    where = "at the last position" if sweep.positions == "last" else "at every position"
    measured = int(sweep.exact.sum())
    if measured == sweep.recovery.size:
        each = plural(measured, "neuron", "neurons")
        return say("Each of {} was patched alone, {}.", each, where)
    return say(
        "The {} neurons that attribution ranks highest, of {}, were patched, each alone, {}; for "
        "the rest the estimate stands.",
        count(measured),
        count(sweep.recovery.size),
        where,
    )


def standing(sweep: NeuronSweep) -> Markup:
    """How much the best neuron recovers, and by what margin it is first."""
    first, most = _top(sweep, 0)
    told = say("{} recovers {} of the difference by itself", first, percent(most))
    if len(sweep.candidates) > 1:
        second, next_most = _top(sweep, 1)
        told += say("; the next, {}, {}", second, percent(next_most))
    told += say(".")
    return told if ahead(sweep) else told + say(" That is no clear lead.")


def _margin(sweep: NeuronSweep) -> Markup:
    noise = sweep.noise
    told = say("")
    if len(sweep.candidates) > 2:
        third, value = _top(sweep, 2)
        told = say("Third is {} with {}. ", third, percent(value))
    if recovery_of(sweep, 0) > 1000 * noise:
        return told + say(
            "Rounding cannot have done this: a patch that changes nothing recovers at most {} in "
            "size.",
            power(noise),
        )
    return told + say(
        "Rounding could have done this: a patch that changes nothing recovers up to {}.",
        number(noise, 3),
    )


def _direction(sweep: NeuronSweep) -> Markup:
    """Whether the candidates rise or fall from the corrupted to the clean prompt."""
    shape = sweep.recovery.shape
    changes = [float(sweep.activation_change[parse_neuron(n, *shape)]) for n in sweep.candidates]
    told = say(
        "At the last position its activation {} by {} from the corrupted to the clean prompt",
        "rises" if changes[0] > 0 else "falls",
        number(abs(changes[0])),
    )
    if len(changes) > 1:
        falling = sum(change < 0 for change in changes)
        told += say("; of the {} best {} by falling", count(len(changes)), _answer(falling))
    return told + say(".")


def _answer(falling: int) -> str:
    return plural(falling, "answers", "answer") if falling else "none answers"


def _crowd(sweep: NeuronSweep) -> Markup:
    sizes = np.abs(sweep.recovery[sweep.exact])
    notable = int((sizes >= NOTABLE).sum())
    median = _tiny(float(np.median(sizes)))
    threshold = percent(NOTABLE)
    if notable >= MANY:
        return say(
            "As many as {} move as much as {} either way; the median neuron moves {}.",
            count(notable), threshold, median,
        )  # fmt: skip
    return say(
        "{} of them {} as much as {} either way; the median neuron moves {}.",
        f"Only {count(notable)}" if notable else "None",
        "moves" if notable == 1 else "move",
        threshold,
        median,
    )


def _tiny(share: float) -> str:
    return percent(share) if share >= 1e-4 else f"less than {percent(1e-4)}"


def _against(sweep: NeuronSweep) -> Markup:
    measured = np.where(sweep.exact, sweep.recovery, np.inf)
    lowest = Neuron(*map(int, np.unravel_index(measured.argmin(), measured.shape)))
    value = float(sweep.recovery[lowest])
    if value > -NOTABLE:
        return say("No neuron works against the answer by as much as {}.", percent(NOTABLE))
    return say("One neuron works against the answer: {}, with {}.", lowest, percent(value))


def _caption(sweep: NeuronSweep) -> Markup:
    return say("Recovery of every neuron, patched alone. ") + standing(sweep)


def confirmed(sweep: NeuronSweep) -> Markup:
    """Whether the best neuron is also the best on pairs that did not choose it."""
    if not len(sweep.held_out_gap):
        return say("The choice was not confirmed: there are no held-out prompts for this question.")
    values, first = shares(sweep), sweep.candidates[0]
    told = say("{} ({})", percent(float(values[0])), share_span(*interval(sweep, 0)))
    pairs = count(len(sweep.held_out_gap))
    if holds(sweep):
        return say(
            "The same neuron also comes first on held-out prompts: over {} other pairs {} "
            "recovers {}.",
            pairs,
            first,
            told,
        )
    return say(
        "The same neuron does not come first on held-out prompts, or not clearly: over {} other "
        "pairs {} recovers {} and is {} of the {} candidates.",
        pairs,
        first,
        told,
        ordinal(held_out_rank(sweep)),
        count(len(values)),
    )


def _candidates(sweep: NeuronSweep) -> Markup:
    if not len(sweep.held_out_gap):
        return say("So the ranking is that of one pair of prompts, and no more.")
    told = say(
        "It is the strongest candidate in {} of the {} pairs. ",
        count(wins(sweep)),
        count(len(sweep.held_out_gap)),
    )
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


def _confirmation_caption(sweep: NeuronSweep) -> Markup:
    return say("Pairs that took no part in the choice. ") + confirmed(sweep)


def _wrong(sweep: NeuronSweep) -> Markup:
    told = say(
        "The best of {} numbers is large by selection alone. The control is a fresh sample: {} "
        "pairs with other words, none of which took part in the choice. ",
        count(sweep.recovery.size),
        count(len(sweep.held_out_gap)),
    )
    if not len(sweep.held_out_gap):
        return say(
            "The best of many numbers is large by selection alone, and here nothing checks it."
        )
    there, here = float(shares(sweep)[0]), recovery_of(sweep, 0)
    low, high = interval(sweep, 0)
    if there >= here:
        return told + say(
            "There the neuron recovers {} ({}), no less than the {} that chose it: selection did "
            "not "
            "flatter it.", number(there), span(low, high), number(here),
        )  # fmt: skip
    return told + say(
        "There the neuron recovers {} ({}), less than the {} that chose it: selection flattered "
        "it.",
        number(there), span(low, high), number(here),
    )  # fmt: skip
