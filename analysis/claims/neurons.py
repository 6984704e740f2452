"""Which single neurons carry the difference, and whether the choice holds on other prompts."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.claims import confirmation, screening
from analysis.claims.confirmation import NOTABLE
from analysis.claims.wording import (
    count,
    number,
    percent,
    plural,
    say,
    span,
)
from analysis.evidence import Evidence
from analysis.experiments.neuron_sweep import NeuronSweep
from analysis.figures.style import power
from analysis.neuron import Neuron, parse_neuron

MANY = 20


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
        direction=direction(sweep),
        crowd=_crowd(sweep),
        against=_against(sweep),
        caption=_caption(sweep),
        confirmed=confirmation.confirmed(sweep),
        candidates=confirmation.candidates(sweep),
        confirmation_caption=confirmation.caption(sweep),
        screen=screening.screen(sweep),
        estimate=screening.estimate(sweep),
        attribution_caption=screening.caption(sweep),
        wrong=_wrong(sweep),
    )


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


def direction(sweep: NeuronSweep) -> Markup:
    """Whether the candidates rise or fall from the corrupted to the clean prompt."""
    shape = sweep.recovery.shape
    changes = [float(sweep.activation_change[parse_neuron(n, *shape)]) for n in sweep.candidates]
    told = say(
        "{} its activation {} by {} from the corrupted to the clean prompt",
        "At the last position" if sweep.positions == "last" else "Where it changes most,",
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
    """How many neurons work against the answer, and which does most."""
    measured = np.where(sweep.exact, sweep.recovery, np.inf)
    lowest = Neuron(*map(int, np.unravel_index(measured.argmin(), measured.shape)))
    value = float(sweep.recovery[lowest])
    if value > -NOTABLE:
        return say("No neuron works against the answer by as much as {}.", percent(NOTABLE))
    against = int((measured <= -NOTABLE).sum())
    if against == 1:
        return say("One neuron works against the answer: {}, with {}.", lowest, percent(value))
    return say(
        "{} neurons work against the answer by {} or more, most of all {}, with {}.",
        count(against),
        percent(NOTABLE),
        lowest,
        percent(value),
    )


def _caption(sweep: NeuronSweep) -> Markup:
    return say("Recovery of every neuron, patched alone. ") + standing(sweep)


def _wrong(sweep: NeuronSweep) -> Markup:
    told = say(
        "The best of {} numbers is large by selection alone. The control is a fresh sample: {} "
        "with other words, none of which took part in the choice. ",
        count(sweep.recovery.size),
        plural(len(sweep.held_out_gap), "pair", "pairs"),
    )
    if not len(sweep.held_out_gap):
        return say(
            "The best of many numbers is large by selection alone, and here nothing checks it."
        )
    there, here = float(confirmation.shares(sweep)[0]), recovery_of(sweep, 0)
    low, high = confirmation.interval(sweep, 0)
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
