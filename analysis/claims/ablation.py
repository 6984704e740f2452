"""What is lost when the neuron is taken away: on the prompt, on many prompts, on news."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.claims import damage
from analysis.claims.damage import clear, none_or
from analysis.claims.wording import count, number, plural, say, signed, span, token
from analysis.engines.replacement import METHODS
from analysis.evidence import Evidence
from analysis.experiments.ablation import (
    Ablation,
    in_set,
    matched_as_large,
    matched_changes,
    over_prompts,
)
from analysis.numbers.estimates import Estimate

ZERO, MEAN, RESAMPLE, NEGATE = range(len(METHODS))

AGREE = 0.1
"""Two ablations agree when they differ by less than this share of what the mean takes away."""


@dataclass(frozen=True)
class AblationClaims:
    """Claims about the model without the neuron."""

    heading: str
    asked: Markup
    agreement: Markup
    negation: Markup
    prompts: Markup
    matched: Markup
    caption: Markup
    corpus: Markup
    collateral: Markup
    corpus_caption: Markup
    wrong: Markup


def ablation(evidence: Evidence) -> AblationClaims:
    """Read the claims off the ablations; the mean is the one that decides."""
    result = evidence.ablation
    return AblationClaims(
        heading=_heading(result),
        asked=_asked(result),
        agreement=_agreement(result),
        negation=_negation(result),
        prompts=_prompts(result),
        matched=_matched(result),
        caption=_caption(result),
        corpus=damage.corpus(result),
        collateral=damage.collateral(result),
        corpus_caption=damage.caption(result),
        wrong=_wrong(result),
    )


def flips(result: Ablation) -> bool:
    """Whether the model prefers the target, and no longer does without the neuron."""
    return float(result.baseline[0, 0]) > 0 > float(result.ablated[0, MEAN, 0])


def _heading(result: Ablation) -> str:
    verb = "flips" if flips(result) else "stands"
    return f"Take the neuron away, and the answer {verb}"


def _asked(result: Ablation) -> Markup:
    zero, mean, resample = (number(float(result.ablated[0, i, 0])) for i in (ZERO, MEAN, RESAMPLE))
    draws = result.resampled[0, :, 0]
    told = say(
        "At the end of the clean prompt the neuron’s activation is {}, and the logit difference is "
        "{}. With zero in its place the difference is {}; with the neuron’s mean over news text, "
        "{}; with values drawn from news text, {} on average ({}, standard deviation {}). Only {} "
        "changed.",
        number(float(result.activation[0])),
        number(float(result.baseline[0, 0])),
        zero,
        mean,
        resample,
        plural(len(draws), "draw", "draws"),
        number(float(draws.std())),
        "the last position is" if result.positions == "last" else "this neuron is, everywhere,",
    )
    if flips(result):
        return told + say(" Without the neuron the model prefers {}.", token(result.foil))
    return told + say(" The answer does not hang on this neuron.")


def _agreement(result: Ablation) -> Markup:
    zero, mean = (float(result.ablated[0, i, 0]) for i in (ZERO, MEAN))
    taken = abs(mean - float(result.baseline[0, 0]))
    activation = number(result.mean_activation)
    if abs(zero - mean) <= AGREE * taken:
        return say(
            "The neuron’s mean is {}, so here zero does no harm, and the ways of ablating agree.",
            activation,
        )
    return say(
        "The neuron’s mean is {}, and zero and mean disagree: of the two, believe the mean.",
        activation,
    )


def _negation(result: Ablation) -> Markup:
    start = float(result.baseline[0, 0])
    mean, negate = (float(result.ablated[0, i, 0]) - start for i in (MEAN, NEGATE))
    told = say(
        "The original study negated the activation. That is not an ablation: it takes away what "
        "the neuron writes and then writes the opposite. It leaves a difference of {}, a change of "
        "{} where ablation by the mean brings {}.",
        number(start + negate),
        signed(negate),
        signed(mean),
    )
    if abs(negate) > abs(mean):
        return told + say(" As a measure of what the neuron does it exaggerates.")
    return told + say(" Here it does not even exaggerate.")


def change(result: Ablation, kind: bool, method: int = MEAN) -> Estimate:
    """Mean change of the logit difference over the set's prompts of one kind."""
    return over_prompts(result, result.ablated[:, method, 0] - result.baseline[:, 0], kind)


def _prompts(result: Ablation) -> Markup:
    told = [_kind(result, kind) for kind in (True, False) if in_set(result, kind).any()]
    if not told:
        return say("No other prompts were asked.")
    return Markup(" ").join(told)


def _kind(result: Ablation, kind: bool) -> Markup:
    estimate = change(result, kind)
    told = say(
        "On {} for {}, ablation by the mean changes the logit difference by {} ({})",
        plural(int(in_set(result, kind).sum()), "prompt that calls", "prompts that call"),
        token(result.target if kind else result.foil),
        signed(estimate.mean),
        span(estimate.low, estimate.high),
    )
    if clear(estimate) or not np.isfinite(estimate.low):
        return told + say(".")
    return told + say(", which cannot be told from no change.")


def _matched(result: Ablation) -> Markup:
    total = len(result.matched)
    if not total:
        return say("There is no neuron to compare it with.")
    if not in_set(result, True).any():
        return say("So on prompts there is nothing to compare it by with other neurons.")
    largest = float(np.abs(matched_changes(result, MEAN, True)).max())
    above = matched_as_large(result, MEAN, True)
    where = say("where {} is called for", token(result.target))
    if not above:
        return say(
            "None of the {} changes it as much {}: the largest of their mean changes is {}.",
            plural(total, "matched neuron", "matched neurons"),
            where,
            number(largest),
        )
    return say(
        "It is nothing special: {} of the {} change it as much {} (largest: {}).",
        count(above),
        plural(total, "matched neuron", "matched neurons"),
        where,
        number(largest),
    )


def _caption(result: Ablation) -> Markup:
    estimate = change(result, True)
    if not in_set(result, True).any():
        return say(
            "No prompt that calls for {} was there but the one asked about.", token(result.target)
        )
    return say(
        "Where {} is called for, ablation by the mean changes the logit difference by {} ({}); {} "
        "of the {} changes it as much.",
        token(result.target),
        signed(estimate.mean),
        span(estimate.low, estimate.high),
        none_or(matched_as_large(result, MEAN, True)),
        plural(len(result.matched), "matched neuron", "matched neurons"),
    )


def _wrong(result: Ablation) -> Markup:
    tail = say(
        "An ablation shows that the model relies on a value, not what the value stands for; and "
        "later layers may make up for what is taken away, so it can understate too. The windows of "
        "news are short ({} tokens) and few, so that effects smaller than the intervals stay "
        "unseen. ",
        count(result.window_tokens),
    )
    if not len(result.matched):
        return tail + say("There was no neuron to compare with.")
    own, *theirs = (
        float(np.sqrt((values[1:].astype(float) ** 2).mean()))
        for values in (result.activation, *result.matched_activation)
    )
    louder = sum(norm >= own for norm in theirs)
    return tail + say(
        "Any neuron as loud might matter as much. The control is {} of the same layer, the nearest "
        "in activation norm; the match is rough where few are as loud: their norms go from {} to "
        "{}, against {}, and {} at least as loud.",
        plural(len(theirs), "neuron", "neurons"),
        number(min(theirs)),
        number(max(theirs)),
        number(own),
        plural(louder, "is", "are"),
    )
