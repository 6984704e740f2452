"""What is lost when the neuron is taken away: on the prompt, on many prompts, on news."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.criteria import ACTIVE, FEW, FOLLOWS, HALF, NEGLIGIBLE, NOTABLE, OFF, UNMOVED
from analysis.engines.ablations import IN_TEMPLATE
from analysis.experiments.ablation.both_kinds import BothKinds, both_kinds
from analysis.experiments.ablation.measured import (
    MEAN,
    UNTOUCHED,
    Ablation,
    ByActivation,
    activation_norms,
    by_activation,
    changes,
    in_set,
    matched_changes,
    matched_preferred,
    no_longer_preferred,
    over_positions,
    over_prompts,
    preferred,
)
from analysis.grounds import Ground, Unit
from analysis.intervals import Interval, Share
from analysis.numbers.matched import as_active


@dataclass(frozen=True)
class OnPrompts:
    """What ablation by the mean changes in prompts of one kind, the question's own aside."""

    change: Interval  # of the logit difference
    untouched: Share  # after which the target is preferred to the foil
    without: Share  # the same without the neuron, by the mean
    # why a mean change that cannot be told from none says little: because it hides two directions,
    # or for no reason that is seen; empty where it can be told
    hides: Literal["", "directions", "nothing"]
    lowest: float  # change in any of them
    highest: float
    by_activation: ByActivation  # mean size of the change; how it hangs on the activation
    correlated: bool  # whether enough prompts vary for a correlation
    follows: bool  # whether the change follows the activation
    pushes_for: int  # in how many the neuron raises the target against the foil, and lowers it
    pushes_against: int


@dataclass(frozen=True)
class InTemplate:
    """Draws from the ends of the set's prompts that call for the foil."""

    lowest: float  # activation that was drawn
    highest: float
    logit_diff: float  # of the prompt, mean and standard deviation over draws
    spread: float
    change: Interval | None  # over the prompts that call for the target
    agrees: bool  # whether that is about what the mean changes
    differs: bool  # whether it is not, beyond doubt


@dataclass(frozen=True)
class BeforeTarget:
    """Positions on news after which the target really comes."""

    places: int  # how many there are
    loss: float  # of the untouched model there, in nats
    change: Interval  # of it
    median: float  # of it, and at how many places it is above zero
    worse: int
    mostly_worse: bool  # whether those are more than half
    share: float  # of the loss there that the mean change is
    needed: bool  # whether the loss clearly rises, by a share of it that counts, at most places
    active: int  # at how many the neuron is active, with the sign that it has on the prompt
    seldom: bool  # whether those are less than half


@dataclass(frozen=True)
class Matched:
    """Neurons of the layer with about the same activation."""

    norm: float  # of the activation on the prompts: the neuron's and theirs
    lowest_norm: float
    highest_norm: float
    alike: int  # how many are about as active
    rough: bool  # whether those are less than half
    more_active: int  # how many have a norm as large as the neuron's
    # of those about as active: the largest mean change of the logit difference, in size, where the
    # target is called for, and how many change it as much as the neuron does
    change: float
    as_large: int
    # with one of those ablated: the fewest and the most prompts that prefer the target, of those
    # that call for it
    preferred: tuple[int, int]
    positions: int  # before other tokens, at which all were ablated too
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
    # whether this prompt prefers the target, and without the neuron no longer; or the foil
    flips: bool
    flips_back: bool
    # over the prompts that call for the target: whether most prefer it, and without the neuron no
    # longer; else whether removing the neuron clearly lowers the logit difference; or raises it
    decides: bool
    raises: bool
    lowers: bool
    agree: bool  # whether zero and mean do about the same
    drawn_size: float  # root mean square of the activations drawn from news
    near_zero: bool  # whether mean and draws from news are all near zero beside the activation
    in_template: InTemplate | None  # draws from the same sentence; None where there are none
    mean_change: float  # of the difference
    negated_change: float
    exaggerates: bool  # whether negation changes more than ablation
    target_prompts: OnPrompts | None  # prompts that call for either; None where there are none
    foil_prompts: OnPrompts | None
    # whether ablation changes both the same way, those that call for the foil half as much or more
    either: bool
    both_kinds: BothKinds | None  # None where one is missing
    before_target: BeforeTarget | None  # positions on news; None where the target never comes
    others: int  # positions before all other tokens
    before_others: Interval  # change of loss there
    divergence: float  # KL there, in nats
    matched: Matched | None  # neurons like it; None where there are none


def facts(result: Ablation, _sign: int | None = None) -> Facts:
    """Read them off; the mean is the ablation that decides."""
    untouched = float(result.baseline[0, 0])
    zero, mean, resample, negated = map(float, result.ablated[0, :4, 0])
    draws, own = result.resampled[0, :, 0], abs(float(result.activation[0]))
    drawn_size = float(np.sqrt((result.drawn.astype(float) ** 2).mean()))
    targets, foils = (_prompts(result, kind) for kind in (True, False))
    lost = no_longer_preferred(result, MEAN, True)
    decides = targets is not None and 2 * lost > targets.untouched.of
    both = both_kinds(result)
    trifle = max(UNMOVED, NEGLIGIBLE * abs(both.untouched.gap.mean)) if both else UNMOVED
    clear = targets is not None and abs(targets.change.mean) > trifle
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
        flips_back=untouched < 0 < mean,
        decides=decides,
        raises=bool(targets and clear and targets.change.negative and not decides),
        lowers=bool(targets and clear and targets.change.positive),
        agree=abs(zero - mean) <= max(UNMOVED, NEGLIGIBLE * abs(mean - untouched)),
        drawn_size=drawn_size,
        near_zero=max(drawn_size, abs(result.mean_activation)) <= OFF * own,
        in_template=_in_template(result),
        mean_change=mean - untouched,
        negated_change=negated - untouched,
        exaggerates=abs(negated - untouched) > abs(mean - untouched),
        target_prompts=targets,
        foil_prompts=foils,
        either=clear and _either(targets, foils),
        both_kinds=both,
        before_target=_before_target(result) if result.position_target.any() else None,
        others=int((~result.position_target).sum()),
        before_others=_news(result, False),
        divergence=over_positions(result, result.position_kl[MEAN], target=False).mean,
        matched=_matched(result) if result.matched else None,
    )


def grounds(found: Facts, result: Ablation) -> Iterator[Ground]:
    """Prompts of a kind are a sample of their kind; on news, whole articles are."""
    kinds = {"target": found.target_prompts, "foil": found.foil_prompts}
    for name, each in kinds.items():
        if each and each.change.bounded:
            prompts: dict[Unit, int] = {"prompt": each.untouched.of}
            yield Ground(name, prompts, "bootstrap")
            yield Ground(f"{name}_preferred", prompts, "wilson")
    target, foil = kinds.values()
    if found.both_kinds and target and foil:
        both = target.untouched.of + foil.untouched.of
        yield Ground("both_kinds", {"prompt": both}, "bootstrap")
    there, news = result.position_target, found.before_target and found.before_target.change
    for name, change, places in (("news", news, there), ("others", found.before_others, ~there)):
        if change and change.bounded:
            articles = len(np.unique(result.position_document[places]))
            yield Ground(name, {"article": articles}, "bootstrap")


def _either(targets: OnPrompts | None, foils: OnPrompts | None) -> bool:
    if targets is None or foils is None:
        return False
    share = foils.change.mean / targets.change.mean if targets.change.mean else 0.0
    return share >= HALF


def _prompts(result: Ablation, kind: bool) -> OnPrompts | None:
    items = int(in_set(result, kind).sum())
    if not items:
        return None
    change = changes(result, MEAN)
    mine, found = change[in_set(result, kind)], by_activation(result, MEAN, kind)
    pushes = int((mine < -UNMOVED).sum()), int((mine > UNMOVED).sum())
    mean = Interval.of(over_prompts(result, change, kind))
    correlation, low, high = found.correlation
    follows = abs(correlation) >= FOLLOWS and low * high > 0
    unclear = mean.bounded and not (mean.positive or mean.negative)
    two = follows and min(pushes) > FEW * items
    return OnPrompts(
        change=mean,
        untouched=Share.counted(preferred(result, UNTOUCHED, kind), items),
        without=Share.counted(preferred(result, MEAN, kind), items),
        hides="" if not unclear else "directions" if two else "nothing",
        lowest=float(mine.min()),
        highest=float(mine.max()),
        by_activation=found,
        correlated=bool(np.isfinite(correlation)),
        follows=follows,
        pushes_for=pushes[0],
        pushes_against=pushes[1],
    )


def _in_template(result: Ablation) -> InTemplate | None:
    if IN_TEMPLATE not in result.methods:
        return None
    method = result.methods.index(IN_TEMPLATE)
    ours, mean = (over_prompts(result, changes(result, m), True) for m in (method, MEAN))
    draws = result.template_resampled[0, :, 0]
    beside = Interval.of(
        over_prompts(result, changes(result, method) - changes(result, MEAN), True)
    )
    return InTemplate(
        lowest=float(result.template_drawn.min()),
        highest=float(result.template_drawn.max()),
        logit_diff=float(draws.mean()),
        spread=float(draws.std()),
        change=Interval.of(ours) if in_set(result, True).any() else None,
        agrees=bool(abs(beside.mean) <= max(UNMOVED, NEGLIGIBLE * abs(mean.mean))),
        differs=beside.positive or beside.negative,
    )


def _news(result: Ablation, target: bool) -> Interval:
    return Interval.of(over_positions(result, result.position_change[MEAN], target))


def _before_target(result: Ablation) -> BeforeTarget:
    there, own = result.position_target, float(result.activation[0])
    active = int((np.sign(own) * result.position_activation[there] >= ACTIVE * abs(own)).sum())
    loss = float(result.position_loss[there].mean())
    places, changes_there = int(there.sum()), result.position_change[MEAN, there]
    change, worse = _news(result, True), int((changes_there > 0).sum())
    share, mostly_worse = change.mean / loss, 2 * worse > places
    return BeforeTarget(
        places,
        loss,
        change,
        median=float(np.median(changes_there)),
        worse=worse,
        mostly_worse=mostly_worse,
        share=share,
        needed=change.positive and share >= NOTABLE and mostly_worse,
        active=active,
        seldom=2 * active < places,
    )


def _matched(result: Ablation) -> Matched:
    alike = as_active(activation_norms(result))
    norm, *norms = activation_norms(result).tolist()
    sizes, counts, own = np.zeros(0), np.zeros(0, int), np.inf
    if in_set(result, True).any():
        own = abs(over_prompts(result, changes(result, MEAN), True).mean)
        sizes = np.abs(matched_changes(result, MEAN, True))[alike]
        counts = matched_preferred(result, MEAN, True)[alike]
    others = result.position_compared & ~result.position_target
    kl = float(result.position_kl[MEAN, others].mean())
    theirs = result.matched_kl[:, ~result.position_target[result.position_compared]].mean(1)
    return Matched(
        norm=norm,
        lowest_norm=min(norms),
        highest_norm=max(norms),
        alike=int(alike.sum()),
        rough=2 * int(alike.sum()) < len(alike),
        more_active=sum(each >= norm for each in norms),
        change=float(sizes.max(initial=0.0)),
        as_large=int((sizes >= own).sum()),
        preferred=(int(counts.min()), int(counts.max())) if len(counts) else (0, 0),
        positions=int(others.sum()),
        disturb_more=int((theirs > kl).sum()),
    )
