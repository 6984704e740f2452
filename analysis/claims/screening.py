"""How good a screen attribution would have been."""

import numpy as np
from markupsafe import Markup

from analysis.claims.wording import count, number, ordinal, say
from analysis.experiments.neuron_sweep import NeuronSweep
from analysis.neuron import parse_neuron

TOLERABLE = 0.02
"""An estimate this near to the measurement, in shares of the difference, is called right."""


def screen(sweep: NeuronSweep) -> Markup:
    """Whether a screen by attribution would have found the best neuron."""
    order = np.argsort(-np.abs(sweep.attribution), axis=None, kind="stable")
    place = np.empty(order.size, dtype=int)
    place[order] = np.arange(1, order.size + 1)
    shape = sweep.recovery.shape
    top = [np.ravel_multi_index(parse_neuron(n, *shape), shape) for n in sweep.candidates]
    best, needed = int(place[top[0]]), int(place[top].max())
    told = say(
        "Patching everything is slow, so one often ranks neurons by <em>attribution</em>, a "
        "first-order estimate that needs one gradient. Here it puts {} {}",
        sweep.candidates[0],
        ordinal(best),
    )
    if len(top) > 1:
        others = ", and the {} best by measurement are all among its first {}"
        told += say(others, len(top), count(needed))
    told += say(".")
    if best <= 10:
        return told + say(" As a screen it would have found the neuron.")
    return told + say(" As a screen for ten neurons it would have missed the one that matters.")


def _gap(sweep: NeuronSweep) -> tuple[float, float, float]:
    """Estimate and measurement of the best neuron, and the worst error of any."""
    best = parse_neuron(sweep.candidates[0], *sweep.recovery.shape)
    errors = np.abs(sweep.attribution - sweep.recovery)[sweep.exact]
    return float(sweep.attribution[best]), float(sweep.recovery[best]), float(errors.max())


def estimate(sweep: NeuronSweep) -> Markup:
    """Whether attribution overstates or understates the best neuron."""
    guess, truth, worst = _gap(sweep)
    told = say(
        "Its estimate for {} is {} against a measured {}: ",
        sweep.candidates[0],
        number(guess, 3),
        number(truth, 3),
    )
    if abs(guess - truth) < TOLERABLE:
        verdict = say("attribution is right about it.")
    elif guess > truth:
        verdict = say("attribution overstates it.")
    else:
        verdict = say("attribution understates it.")
    return told + verdict + say(" The largest error of any neuron is {}.", number(worst, 3))


def caption(sweep: NeuronSweep) -> Markup:
    """Whether estimates and measurements agree over all neurons."""
    r = _correlation(sweep.attribution[sweep.exact], sweep.recovery[sweep.exact])
    if not np.isfinite(r):
        return estimate(sweep)
    lead = (
        "Estimate and measurement agree for most neurons"
        if r > 0.9
        else "Estimate and measurement do not agree well"
    )
    return say("{} (correlation {}). ", lead, number(r, 3)) + estimate(sweep)


def _correlation(guesses: np.ndarray, truths: np.ndarray) -> float:
    """Pearson's, undefined where one side does not vary."""
    if len(truths) < 2 or not guesses.std() or not truths.std():
        return float("nan")
    return float(np.corrcoef(guesses, truths)[0, 1])
