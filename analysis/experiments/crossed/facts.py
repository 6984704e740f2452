"""What the neuron follows: the rule, the cue, or the example; and whether it needs the example."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.experiments.crossed.compute import Crossed
from analysis.grounds import Ground, Unit
from analysis.intervals import Auc, Interval, Span, auc, signed_area, signed_span
from analysis.numbers.shares import SHARES

NEURON, MODEL, WITHOUT = range(3)  # the measures


@dataclass(frozen=True)
class Factor:
    """One thing that a neuron may follow."""

    name: str  # of it, in a word
    neuron: Auc  # chance of a larger activation where this factor alone calls for the target
    model: Auc  # the same for the model's answer
    without: Auc  # and for its answer without the neuron


@dataclass(frozen=True)
class Count:
    """Of some words, after how many the model puts the target above the foil."""

    of: int  # words
    now: int  # as the model is
    without: int  # without the neuron


@dataclass(frozen=True)
class After:
    """What there is after one example."""

    name: str  # of the example
    text: str  # of it before the first frame; empty for none
    example_has: str  # which of the two tokens it has in it: target, foil, or neither
    neuron: Auc  # of the rule
    model: Auc
    drop: Interval  # of the neuron's AUC, from that after the usual example
    own_neuron: Auc  # over the question's own words in the first frame
    own_model: float
    own_target: Count  # the question's own words that call for the target
    own_foil: Count  # and those that call for the foil


@dataclass(frozen=True)
class Plan:
    """Whether the neuron goes with what the model is about to say, or with the word alone.

    Correlations over the words of a frame, with 95 % intervals over frames and words.
    """

    together: Interval  # of the activation with the log odds of what comes next
    beyond: Interval  # the same with the rule held fixed; above zero, it plans
    word: Interval  # of the activation with the rule, with what comes next held fixed
    mass: float  # least mean probability of the tokens that are counted


@dataclass(frozen=True)
class Facts:
    """What example, frame and word do; activations are read with the neuron's own sign."""

    rule: Factor
    cue: Factor
    rule_leads: bool  # whether it follows the rule more than the cue, beyond doubt
    cue_leads: bool  # or the cue more than the rule
    example: Factor | None  # None where no example has the target in it, or none the foil
    followed: tuple[str, ...]  # the factors that the neuron follows, the one with most AUC first
    usual: After  # after the example of the pair
    every: tuple[After, ...]  # after every example, the usual one first
    bare: tuple[After, ...]  # of those, where neither target nor foil is there to copy
    needs_example: bool  # whether it tells the words apart after the usual example, and in no bare
    better_after_one: bool  # whether it does so better than in any bare, beyond doubt
    own_needs_example: bool  # whether it needs it for the question's own words in the first frame
    with_target: After | None  # after the first example that has the target in it
    copies: bool  # whether the model puts it first then after most words that call for the foil,
    # and does not after the usual example
    copies_without: bool  # whether it does so without the neuron, too
    shares: tuple[tuple[str, Interval], ...]  # of the variance by factor, the largest first
    unshared: float  # what the factors do only together, as a share
    prompts: int
    plan: Plan | None  # None where the question does not say what would be a plan
    frames: Span  # lowest and highest AUC of the neuron by rule, by frame, after the usual example


def facts(result: Crossed, sign: int | None = None) -> Facts:
    """Read them off, with the sign with which the neuron is used: by default ``sign_of``."""
    sign = sign or sign_of(result)
    rule, cue = (_factor(result, place, sign) for place in range(2))
    example = _example(result, sign)
    factors = [each for each in (rule, cue, example) if each is not None]
    factors.sort(key=lambda each: -each.neuron.mean)
    found = [each for each in factors if each.neuron.follows]
    followed = tuple(each.name for each in found)
    every = tuple(_after(result, place, sign) for place in range(len(result.examples)))
    usual = every[0]
    bare = tuple(each for each in every[1:] if not each.example_has)
    comparable = bool(usual.example_has and bare)
    with_target = next((each for each in every if each.example_has == "target"), None)
    wrong = with_target.own_foil if with_target else Count(0, 0, 0)
    frames = signed_area(result.frame_area[NEURON, 0], sign)
    rows = zip(SHARES, result.share, result.share_interval, strict=True)
    *shares, unshared = [(name, Interval.of((share, *span))) for name, share, span in rows]
    return Facts(
        rule=rule,
        cue=cue,
        example=example,
        rule_leads=_leads(result, sign),
        cue_leads=_leads(result, -sign),
        followed=followed,
        usual=usual,
        every=every,
        bare=bare,
        needs_example=comparable and usual.neuron.tells and not any(e.neuron.tells for e in bare),
        better_after_one=comparable and all(each.drop.positive for each in bare),
        own_needs_example=comparable
        and usual.own_neuron.tells
        and not any(each.own_neuron.tells for each in bare),
        with_target=with_target,
        copies=2 * wrong.now > wrong.of >= 2 * usual.own_foil.now,
        copies_without=2 * wrong.without > wrong.of,
        shares=tuple(sorted(shares, key=lambda each: -each[1].mean)),
        unshared=unshared[1].mean,
        prompts=int(result.values[0].size),
        plan=_plan(result, sign) if len(result.expected) else None,
        frames=(float(frames.min()), float(frames.max())),
    )


def grounds(found: Facts, result: Crossed) -> Iterator[Ground]:
    """Frames and words are both a sample, words within their kinds; examples are as given."""
    both: dict[Unit, int] = {"frame": len(result.frames), "word": len(result.words)}
    yield Ground("factors", both, "bootstrap")
    yield Ground("shares", both, "bootstrap")
    if found.plan:
        yield Ground("plan", both, "bootstrap")
    yield Ground("own", {"word": len(result.own_words)}, "bootstrap")


def sign_of(result: Crossed) -> int:
    """Which way words that call for the target, and look so, move the mean activation.

    Against words that do neither; where that is little, the sign of the largest mean.
    """
    means = result.means
    largest = float(means.ravel()[np.abs(means).argmax()])
    moved = float(means[0, 0, 0] - means[1, 1, 0])
    return 1 if (moved if abs(moved) >= abs(largest) / 2 else largest) >= 0 else -1


def _plan(result: Crossed, sign: int) -> Plan:
    found = zip((sign * result.plan).tolist(), result.plan_interval, strict=True)
    together, beyond, word = (Interval(value, *signed_span(span, sign)) for value, span in found)
    return Plan(together, beyond, word, mass=float(result.expected_mass.min()))


def _factor(result: Crossed, place: int, sign: int) -> Factor:
    """The word's own factors, after the usual example."""
    name = (result.rule, result.cue)[place]
    areas, spans = result.area[place, :, 0], result.area_interval[place, :, 0]
    return Factor(name, *_three(areas, spans, sign))


def _leads(result: Crossed, sign: int) -> bool:
    """Whether the rule is above the cue, of a neuron used with this sign; below with the other."""
    low, high = result.rule_lead_interval[NEURON].tolist()
    return bool(low > 0 if sign > 0 else high < 0)


def _example(result: Crossed, sign: int) -> Factor | None:
    if np.isnan(result.example_area).any():
        return None
    return Factor("example", *_three(result.example_area, result.example_interval, sign))


def _after(result: Crossed, place: int, sign: int) -> After:
    own = result.own_preferred(MODEL)[place], result.own_preferred(WITHOUT)[place]
    mine = result.own_calls_for_target
    target, foil = (
        Count(int(kind.sum()), int(own[0][side]), int(own[1][side]))
        for side, kind in enumerate((mine, ~mine))
    )
    areas, spans = result.area[0, :, place], result.area_interval[0, :, place]
    return After(
        result.examples[place],
        result.beginnings[place],
        result.example_has[place],
        neuron=auc(areas[NEURON], spans[NEURON], sign),
        model=auc(areas[MODEL], spans[MODEL]),
        drop=Interval(
            sign * float(result.drop[NEURON, place]),
            *signed_span(result.drop_interval[NEURON, place], sign),
        ),
        own_neuron=auc(result.own_area[NEURON, place], result.own_interval[NEURON, place], sign),
        own_model=float(result.own_area[MODEL, place]),
        own_target=target,
        own_foil=foil,
    )


def _three(areas: np.ndarray, spans: np.ndarray, sign: int) -> tuple[Auc, Auc, Auc]:
    """Of the neuron, with its sign, of the model, and of the model without it."""
    return (
        auc(areas[NEURON], spans[NEURON], sign),
        auc(areas[MODEL], spans[MODEL]),
        auc(areas[WITHOUT], spans[WITHOUT]),
    )
