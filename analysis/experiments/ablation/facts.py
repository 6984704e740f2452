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
    over_positions,
    over_prompts,
)
from analysis.numbers.estimates import Estimate

MEAN = METHODS.index("mean")


@dataclass(frozen=True)
class Change:
    """What ablation by the mean changes, over some prompts or positions."""

    items: int  # how many they are
    mean: float  # of the change, 95 %
    interval: tuple[float, float]
    bounded: bool  # whether there is an interval
    rises: bool  # whether the interval lies above zero, or below
    falls: bool


@dataclass(frozen=True)
class BeforeTarget:
    """Positions on news after which the target really comes."""

    loss: float  # of the untouched model there, in nats
    change: Change  # of it
    active: int  # at how many the neuron is active, with the sign that it has on the prompt
    seldom: bool  # whether those are less than half


@dataclass(frozen=True)
class Matched:
    """Neurons of the layer with about the same activation."""

    change: float  # the largest of their mean changes of the logit difference, in size
    as_large: int  # how many change it as much as the neuron does
    norm: float  # of the activation on the prompts: the neuron's and theirs
    lowest_norm: float
    highest_norm: float
    as_active: int  # how many have a norm as large as the neuron's
    positions: int  # before other tokens, at which they were ablated too
    disturb_more: int  # how many have the larger KL divergence there


@dataclass(frozen=True)
class Facts:
    """What ablation changes."""

    activation: float  # at the end of the clean prompt
    logit_diff: float  # the logit difference there, by replacement
    zero: float
    mean: float
    resample: float
    negated: float
    draws: int  # random draws, and the standard deviation of the difference over them
    spread: float
    flips: bool  # whether the model prefers the target, and without the neuron no longer
    agree: bool  # whether zero and mean do about the same
    mean_change: float  # of the difference
    negated_change: float
    exaggerates: bool  # whether negation changes more than ablation
    target_prompts: Change | None  # other prompts that call for either; None where there are none
    foil_prompts: Change | None
    before_target: BeforeTarget | None  # positions on news; None where the target never comes
    before_others: Change  # change of loss before all other tokens
    divergence: float  # KL there, in nats
    matched: Matched | None  # neurons like it; None where there are none


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
        before_target=_before_target(result) if result.position_target.any() else None,
        before_others=_news(result, False),
        divergence=over_positions(result, result.position_kl[MEAN], target=False).mean,
        matched=_matched(result) if result.matched else None,
    )


def _prompts(result: Ablation, kind: bool) -> Change | None:
    items = int(in_set(result, kind).sum())
    changes = result.ablated[:, MEAN, 0] - result.baseline[:, 0]
    return _change(over_prompts(result, changes, kind), items) if items else None


def _news(result: Ablation, target: bool) -> Change:
    items = int((result.position_target == target).sum())
    return _change(over_positions(result, result.position_change[MEAN], target), items)


def _change(estimate: Estimate, items: int) -> Change:
    mean, low, high = estimate
    return Change(items, mean, (low, high), bool(np.isfinite(low)), low > 0, high < 0)


def _before_target(result: Ablation) -> BeforeTarget:
    there, own = result.position_target, float(result.activation[0])
    active = int((np.sign(own) * result.position_activation[there] >= ACTIVE * abs(own)).sum())
    loss = float(result.position_loss[there].mean())
    seldom = 2 * active < int(there.sum())
    return BeforeTarget(loss, _news(result, True), active, seldom)


def _matched(result: Ablation) -> Matched:
    any_prompt = in_set(result, True).any()
    both = np.vstack([result.activation, result.matched_activation])[:, 1:]
    norm, *norms = np.sqrt((both.astype(float) ** 2).mean(1)).tolist()
    others = result.position_compared & ~result.position_target
    own = float(result.position_kl[MEAN, others].mean())
    theirs = result.matched_kl[:, ~result.position_target[result.position_compared]].mean(1)
    return Matched(
        change=float(np.abs(matched_changes(result, MEAN, True)).max()) if any_prompt else 0.0,
        as_large=matched_as_large(result, MEAN, True) if any_prompt else 0,
        norm=norm,
        lowest_norm=min(norms),
        highest_norm=max(norms),
        as_active=sum(each >= norm for each in norms),
        positions=int(others.sum()),
        disturb_more=int((theirs > own).sum()),
    )
