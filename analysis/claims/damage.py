"""What taking the neuron away costs on news: before the target, and before all other tokens."""

import numpy as np
from markupsafe import Markup

from analysis.claims.wording import count, number, plural, say, signed, span, token
from analysis.engines.replacement import METHODS
from analysis.experiments.ablation import Ablation, over_spots
from analysis.numbers.estimates import Estimate

MEAN = METHODS.index("mean")


def clear(estimate: Estimate) -> bool:
    """Whether the interval leaves out zero; without an interval nothing is clear."""
    return bool(estimate.low > 0 or estimate.high < 0)


def corpus(result: Ablation) -> Markup:
    """What ablation costs on news where the target really comes next."""
    target = token(result.target)
    here = result.spot_target
    if not here.any():
        return say("The news sample holds no place before {} with enough text.", target)
    estimate = over_spots(result, result.spot_change[MEAN], target=True)
    told = say(
        "On news, at {} where {} really comes next, the loss is {} nats, and ablation by the mean "
        "changes it by {} ({}).",
        plural(int(here.sum()), "place", "places"),
        target,
        number(float(result.spot_loss[here].mean())),
        signed(estimate.mean, 3),
        span(estimate.low, estimate.high, 3),
    )
    return told + say(" ") + _why(result, estimate)


def none_or(amount: int) -> str:
    """A count, zero in words."""
    return count(amount) if amount else "none"


def _why(result: Ablation, estimate: Estimate) -> Markup:
    """Whether the neuron matters there, and how active it is, with the sign it has when asked."""
    here = result.spot_target
    peak = float(result.activation[0])
    loud = int((np.sign(peak) * result.spot_activation[here] >= abs(peak) / 2).sum())
    active = say(
        "its activation reaches half of that after the clean prompt at {} of them", none_or(loud)
    )
    if clear(estimate) and estimate.mean > 0:
        return say("So the model needs it there too: ") + active + say(".")
    if clear(estimate):
        return say("So the model does better without it there: ") + active + say(".")
    rest = ", so there is little to take away." if 2 * loud < here.sum() else "."
    return say("No loss can be shown: ") + active + rest


def collateral(result: Ablation) -> Markup:
    """What it costs before all other tokens."""
    loss = over_spots(result, result.spot_change[MEAN], target=False)
    divergence = over_spots(result, result.spot_kl[MEAN], target=False)
    told = say(
        "At {} before other tokens the loss changes by {} ({}), and the KL divergence is {} nats.",
        plural(int((~result.spot_target).sum()), "place", "places"),
        signed(loss.mean, 4),
        span(loss.low, loss.high, 4),
        _fine(divergence.mean),
    )
    if clear(loss) and loss.mean > 0:
        return told + say(" That is collateral damage. ") + _quieter_than(result)
    return told + say(" There is no collateral damage to be seen. ") + _quieter_than(result)


def _fine(value: float) -> str:
    """A small number with as many digits as it takes to see one of it."""
    digits = 2 if not value else max(2, 1 - int(np.floor(np.log10(abs(value)))))
    return number(value, min(digits, 9))


def _quieter_than(result: Ablation) -> Markup:
    """How its KL divergence on other tokens compares with that of matched neurons."""
    if not len(result.matched):
        return say("")
    compared = result.spot_compared & ~result.spot_target
    own = float(result.spot_kl[MEAN, compared].mean())
    theirs = result.matched_kl[:, ~result.spot_target[result.spot_compared]].mean(1)
    return say(
        "On the {} of them on which the matched neurons were ablated too, {} of {} disturb the "
        "predictions more than it does.",
        count(int(compared.sum())),
        count(int((theirs > own).sum())),
        count(len(theirs)),
    )


def caption(result: Ablation) -> Markup:
    """Both, in one sentence."""
    if not result.spot_target.any():
        return say("On news, before other tokens, ablation changes the loss as shown.")
    target = over_spots(result, result.spot_change[MEAN], target=True)
    other = over_spots(result, result.spot_change[MEAN], target=False)
    first = "raises the loss" if clear(target) and target.mean > 0 else "costs nothing measurable"
    second = "raises it" if clear(other) and other.mean > 0 else "costs nothing measurable"
    return say(
        "On news, ablation {} before {}, and {} before other tokens.",
        first,
        token(result.target),
        second,
    )
