"""What is lost when the neuron is taken away: on the prompt, on many prompts, on news."""

from dataclasses import dataclass

import numpy as np

from analysis.criteria import ACTIVE, NEGLIGIBLE
from analysis.engines.replacement import METHODS
from analysis.experiments.ablation.compute import (
    Ablation,
    in_set,
    matched_as_large,
    matched_changes,
    over_prompts,
    over_spots,
)
from analysis.numbers.estimates import Estimate

MEAN = METHODS.index("mean")


@dataclass(frozen=True)
class Change:
    """What ablation by the mean changes, over some prompts or positions.

    Attributes:
        items: how many they are.
        mean, interval: of the change, 95 %.
        bounded: whether there is an interval.
        rises, falls: whether the interval lies above zero, or below.
    """

    items: int
    mean: float
    interval: tuple[float, float]
    bounded: bool
    rises: bool
    falls: bool


@dataclass(frozen=True)
class BeforeTarget:
    """Positions on news after which the target really comes.

    Attributes:
        loss: of the untouched model there, in nats.
        change: of it.
        active: at how many the neuron is active, with the sign that it has on the prompt.
        seldom: whether those are less than half.
    """

    loss: float
    change: Change
    active: int
    seldom: bool


@dataclass(frozen=True)
class Matched:
    """Neurons of the layer with about the same activation.

    Attributes:
        change: the largest of their mean changes of the logit difference, in size.
        as_large: how many change it as much as the neuron does.
        norm, lowest_norm, highest_norm: of the activation on the prompts: the neuron's and theirs.
        as_active: how many have a norm as large as the neuron's.
        positions: before other tokens, at which they were ablated too.
        disturb_more: how many have the larger KL divergence there.
    """

    change: float
    as_large: int
    norm: float
    lowest_norm: float
    highest_norm: float
    as_active: int
    positions: int
    disturb_more: int


@dataclass(frozen=True)
class Facts:
    """What ablation changes.

    Attributes:
        activation: at the end of the clean prompt.
        logit_diff, zero, mean, resample, negated: the logit difference there, by replacement.
        draws, spread: random draws, and the standard deviation of the difference over them.
        flips: whether the model prefers the target, and without the neuron no longer.
        agree: whether zero and mean do about the same.
        mean_change, negated_change: of the difference.
        exaggerates: whether negation changes more than ablation.
        target_prompts, foil_prompts: other prompts that call for either; None where there are none.
        before_target: positions on news; None where the target never comes.
        before_others: change of loss before all other tokens.
        divergence: KL there, in nats.
        matched: neurons like it; None where there are none.
    """

    activation: float
    logit_diff: float
    zero: float
    mean: float
    resample: float
    negated: float
    draws: int
    spread: float
    flips: bool
    agree: bool
    mean_change: float
    negated_change: float
    exaggerates: bool
    target_prompts: Change | None
    foil_prompts: Change | None
    before_target: BeforeTarget | None
    before_others: Change
    divergence: float
    matched: Matched | None


def facts(result: Ablation, _sign: int | None = None) -> Facts:
    """Read them off; the mean is the ablation that decides."""
    untouched = float(result.baseline[0, 0])
    zero, mean, resample, negated = map(float, result.ablated[0, :, 0])
    draws = result.resampled[0, :, 0]
    return Facts(
        activation=float(result.activation[0]),
        logit_diff=untouched,
        zero=zero,
        mean=mean,
        resample=resample,
        negated=negated,
        draws=len(draws),
        spread=float(draws.std()),
        flips=untouched > 0 > mean,
        agree=abs(zero - mean) <= NEGLIGIBLE * abs(mean - untouched),
        mean_change=mean - untouched,
        negated_change=negated - untouched,
        exaggerates=abs(negated - untouched) > abs(mean - untouched),
        target_prompts=_prompts(result, True),
        foil_prompts=_prompts(result, False),
        before_target=_before_target(result) if result.spot_target.any() else None,
        before_others=_news(result, False),
        divergence=over_spots(result, result.spot_kl[MEAN], target=False).mean,
        matched=_matched(result) if result.matched else None,
    )


def _prompts(result: Ablation, kind: bool) -> Change | None:
    items = int(in_set(result, kind).sum())
    changes = result.ablated[:, MEAN, 0] - result.baseline[:, 0]
    return _change(over_prompts(result, changes, kind), items) if items else None


def _news(result: Ablation, target: bool) -> Change:
    items = int((result.spot_target == target).sum())
    return _change(over_spots(result, result.spot_change[MEAN], target), items)


def _change(estimate: Estimate, items: int) -> Change:
    mean, low, high = estimate
    return Change(items, mean, (low, high), bool(np.isfinite(low)), low > 0, high < 0)


def _before_target(result: Ablation) -> BeforeTarget:
    there, own = result.spot_target, float(result.activation[0])
    active = int((np.sign(own) * result.spot_activation[there] >= ACTIVE * abs(own)).sum())
    loss = float(result.spot_loss[there].mean())
    seldom = 2 * active < int(there.sum())
    return BeforeTarget(loss, _news(result, True), active, seldom)


def _matched(result: Ablation) -> Matched:
    asked = in_set(result, True).any()
    both = np.vstack([result.activation, result.matched_activation])[:, 1:]
    norm, *norms = np.sqrt((both.astype(float) ** 2).mean(1)).tolist()
    others = result.spot_compared & ~result.spot_target
    own = float(result.spot_kl[MEAN, others].mean())
    theirs = result.matched_kl[:, ~result.spot_target[result.spot_compared]].mean(1)
    return Matched(
        change=float(np.abs(matched_changes(result, MEAN, True)).max()) if asked else 0.0,
        as_large=matched_as_large(result, MEAN, True) if asked else 0,
        norm=norm,
        lowest_norm=min(norms),
        highest_norm=max(norms),
        as_active=sum(each >= norm for each in norms),
        positions=int(others.sum()),
        disturb_more=int((theirs > own).sum()),
    )
