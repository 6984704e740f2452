"""What the model answers and writes as the neuron is turned up, down and round."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from analysis.claims.continuation import Line, factor, lines, table, writes
from analysis.claims.wording import count, number, percent, plural, say, span, token
from analysis.evidence import Evidence
from analysis.experiments.weight_modulation import WeightModulation

TRIFLE = 0.05
"""Logits: from factor -1 to 3, an answer that moves by less hardly moves."""


@dataclass(frozen=True)
class Modulation:
    """Claims about scaling the neuron's weights."""

    heading: str
    dose: Markup
    corrupted: Markup
    inputs: Markup
    how_inputs: str
    caption: Markup
    loss: Markup
    writes: Markup
    lines: tuple[Line, ...]
    table: str
    wrong: Markup


def modulation(evidence: Evidence) -> Modulation:
    """Read the claims off the dose-response curves and the texts."""
    result = evidence.weight_modulation
    return Modulation(
        heading=_heading(result),
        dose=_dose(result),
        corrupted=_corrupted(result),
        inputs=_inputs(result),
        how_inputs=_how_inputs(result),
        caption=_caption(result),
        loss=_loss(result),
        writes=writes(result),
        lines=lines(result),
        table=table(result),
        wrong=_wrong(result),
    )


def _at(result: WeightModulation, factor: float) -> int:
    return result.factors.index(factor)


def _curve(result: WeightModulation, prompt: int = 0, weights: str = "out") -> np.ndarray:
    return result.logit_diff[result.weights.index(weights), :, prompt].astype(float)


def rise(result: WeightModulation) -> float:
    """What scaling the output weights from -1 to 3 adds to the clean prompt's difference."""
    curve = _curve(result)
    return float(curve[_at(result, 3.0)] - curve[_at(result, -1.0)])


def _control_rises(result: WeightModulation) -> Float[np.ndarray, " control"]:
    """The same for every control, in size."""
    curves = result.control_diff[:, result.weights.index("out"), :, 0]
    return np.abs(curves[:, _at(result, 3.0)] - curves[:, _at(result, -1.0)])


def moves(result: WeightModulation) -> bool:
    """Whether the factor moves the answer at all, by more than a trifle."""
    return abs(rise(result)) > TRIFLE


def steers(result: WeightModulation) -> bool:
    """Whether it moves the answer, and further than the factor of any control does."""
    furthest = float(_control_rises(result).max(initial=0.0))
    return moves(result) and abs(rise(result)) > furthest


def steady(result: WeightModulation) -> bool:
    """Whether every step of the factor moves the clean prompt's answer the same way."""
    steps = np.diff(_curve(result)) * np.sign(rise(result))
    return bool((steps > 0).all())


def _heading(result: WeightModulation) -> str:
    if not moves(result):
        return "Turning it up or down hardly moves the answer"
    if not steers(result):
        return "Turning it up or down moves the answer, but no further than other neurons do"
    if rise(result) > 0:
        return "Turned up it says more of the word, turned down less"
    return "Turned up it says less of the word, turned down more"


def _dose(result: WeightModulation) -> Markup:
    """The dose-response on the clean prompt."""
    chances = result.p_target[result.weights.index("out"), :, 0].astype(float)
    if not moves(result):
        verdict = "The answer hardly moves with the factor"
    elif not steers(result):
        verdict = "The factor does not steer the answer beyond what other neurons’ factors do"
    elif steady(result):
        verdict = "The answer follows the factor at every step"
    else:
        verdict = "The answer follows the factor, though not at every step"
    places = [(f, _curve(result)[_at(result, f)], chances[_at(result, f)])
              for f in (-1.0, 0.0, 1.0, 3.0)]  # fmt: skip
    told = [say("{} ({}) at factor {}", number(d), percent(p), factor(f)) for f, d, p in places]
    first = say(
        "{}. On the clean prompt the logit difference, with the probability of {}, is {}.",
        verdict,
        token(result.target),
        Markup(", ").join(told),
    )
    return first + _peak(result, chances)


def _peak(result: WeightModulation, chances: np.ndarray) -> Markup:
    """Where the probability of the target is largest, if not at either end."""
    top = int(chances.argmax())
    if not steers(result) or top in (0, len(chances) - 1):
        return say("")
    told = say(
        " The probability is largest, {}, at factor {}",
        percent(float(chances[top])),
        factor(result.factors[top]),
    )
    if _curve(result)[-1] > _curve(result)[top]:
        return told + say("; beyond it tokens other than these two gain.")
    return told + say(".")


def _corrupted(result: WeightModulation) -> Markup:
    """Whether any factor turns the corrupted prompt's answer round."""
    if len(result.prompts) < 2:
        return say("")
    curve = _curve(result, 1)
    own = curve[_at(result, 1.0)]
    turned = np.flatnonzero(np.sign(curve) != np.sign(own))
    prefers = token(result.target if own > 0 else result.foil)
    if not len(turned):
        return say(
            "After the corrupted prompt no factor of the output weights up to {} turns the answer "
            "round: the model keeps preferring {}, at differences from {} to {}.",
            factor(max(result.factors)),
            prefers,
            number(float(curve.min())),
            number(float(curve.max())),
        )
    return say(
        "After the corrupted prompt, where the model prefers {}, {} turns the answer round.",
        prefers,
        "a factor of " + ", ".join(factor(result.factors[i]) for i in turned),
    )


def _how_inputs(result: WeightModulation) -> str:
    if result.gated:
        return (
            "This MLP is gated, so a neuron has two vectors of input weights, gate and up; we "
            "scale both. Scaling the up projection alone would be the same as scaling the output "
            "weights."
        )
    return "The bias of the neuron is left as it is."


def _inputs(result: WeightModulation) -> Markup:
    """What scaling the input weights does instead."""
    out, inner = _curve(result), _curve(result, weights="in")
    best = int(inner.argmax())
    told = say(
        "With the input weights scaled the clean prompt’s difference is {} at factor {}, {} at {} "
        "and {} at {}; it is largest, {}, at {}.",
        number(float(inner[_at(result, -1.0)])),
        factor(-1.0),
        number(float(inner[_at(result, 2.0)])),
        factor(2.0),
        number(float(inner[_at(result, 3.0)])),
        factor(3.0),
        number(float(inner[best])),
        factor(result.factors[best]),
    )
    flat = abs(float(inner[_at(result, -1.0)] - out[_at(result, 0.0)]))
    if flat < 0.1 * abs(rise(result)):
        told += say(
            " Flipping them is much the same as removing the neuron, as is to be expected where an "
            "activation function passes little of a negative input."
        )
    if inner[_at(result, 3.0)] < inner[best] and inner[_at(result, 3.0)] < out[_at(result, 1.0)]:
        told += say(" There can be too much of it: at the largest factor the answer breaks down.")
    return told


def _caption(result: WeightModulation) -> Markup:
    curve = _curve(result)
    told = say(
        "Scaling the output weights of {} from {} to {} takes the clean prompt’s logit difference "
        "from {} to {}",
        result.neuron,
        factor(result.factors[0]),
        factor(result.factors[-1]),
        number(float(curve[0])),
        number(float(curve[-1])),
    )
    if not result.controls:
        return told + say(".")
    return told + say(
        "; the same done to {} moves it by at most {}.",
        plural(len(result.controls), "other neuron", "other neurons"),
        number(float(np.ptp(result.control_diff[:, 0, :, 0], axis=1).max())),
    )


def _loss(result: WeightModulation) -> Markup:
    """What scaling does to the loss on other text."""
    out = result.weights.index("out")
    worst = int(np.abs(result.loss_change[out]).argmax())
    low, high = result.loss_interval[out, :, 0], result.loss_interval[out, :, 1]
    sure = (low > 0) | (high < 0)
    told = say(
        "On {} tokens, the beginnings of {} drawn at random, the loss is {} nats a token. Scaling "
        "the output weights changes it by at most {} (at factor {}; {}), ",
        count(result.tokens),
        plural(result.texts, "news article", "news articles"),
        number(result.loss),
        number(float(result.loss_change[out, worst]), 5),
        factor(result.factors[worst]),
        span(float(low[worst]), float(high[worst]), 5),
    )
    if not sure.any():
        return told + say("which a sample of this size cannot tell from nothing.")
    return told + say(
        "a change told from nothing at {}.",
        plural(int(sure.sum()), "factor", "factors"),
    )


def _wrong(result: WeightModulation) -> Markup:
    if not result.controls:
        return say("The layer has no other neuron to compare with, so any neuron might do this.")
    rises = _control_rises(result)
    above = int((rises >= abs(rise(result))).sum())
    return say(
        "Any active neuron changes the answer when it is scaled. The same was done to {} of its "
        "layer, those whose activation on the prompts is nearest to its own in size: from "
        "factor {} to {} they move the clean prompt’s difference by at most {}, {} by {}, and {} "
        "as far. Large factors take the model where training never did, so they show what it can "
        "be made to do, not what it does. Samples differ by luck; those of one number share their "
        "random draws, so that factors can be compared.",
        plural(len(rises), "other neuron", "other neurons"),
        factor(-1.0),
        factor(3.0),
        number(float(rises.max())),
        result.neuron,
        number(abs(rise(result))),
        "none goes" if not above else plural(above, "goes", "go"),
    )
