"""Which tokens the neuron writes, whatever the prompt."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.experiments.direct_effect import DirectEffect
from analysis.statistics import share_interval
from report.claims.wording import (
    count,
    number,
    ordinal,
    percent,
    plural,
    say,
    signed,
    token,
    tokens,
)
from report.evidence import Evidence


@dataclass(frozen=True)
class Writes:
    """Claims about the neuron's direct effect on the logits."""

    heading: str
    target: Markup
    variants: Markup
    foil: Markup
    peers: Markup
    caption: Markup
    congruence: Markup
    tokens_caption: Markup
    wrong: Markup


def writes(evidence: Evidence) -> Writes:
    """Read the claims off the neuron's output weights."""
    result = evidence.direct_effect
    return Writes(
        heading=_heading(result),
        target=writes_target(result),
        variants=_variants(result),
        foil=_foil(result),
        peers=_peers(result),
        caption=_caption(result),
        congruence=_congruence(result),
        tokens_caption=_tokens_caption(result),
        wrong=_wrong(result),
    )


def writes_it(result: DirectEffect) -> bool:
    """Whether the target is first but for its own variants of case and space."""
    return result.target_logit > result.best_other_logit


def rotations_above(result: DirectEffect) -> int:
    """How many random directions write some token as strongly as the neuron writes the target."""
    return int((result.rotated_best >= result.target_logit).sum())


def _heading(result: DirectEffect) -> str:
    if not writes_it(result):
        return "It does not write the word"
    spelled = len(result.variants) > 1 and result.variant_logits.min() > 2 * result.spread
    return "It writes the word, in every spelling" if spelled else "It writes the word"


def writes_target(result: DirectEffect) -> Markup:
    """Whether the neuron's output weights point at the target."""
    vocabulary = int(result.bin_counts.sum())
    if writes_it(result):
        return say(
            "It writes {} directly: of the {} tokens of the vocabulary its output weights raise {} "
            "{}, {} standard deviations above the mean.",
            token(result.target),
            count(vocabulary),
            token(result.target),
            "most" if result.target_rank == 1 else f"{ordinal(result.target_rank)} most",
            number(result.target_z, 1),
        )
    return say(
        "It does not write {} directly: its output weights raise {} more than the target, which is "
        "{} of {} tokens.",
        token(result.target),
        token(result.best_other),
        ordinal(result.target_rank),
        count(vocabulary),
    )


def _variants(result: DirectEffect) -> Markup:
    leading = 0
    for text in result.top_tokens:
        if text not in result.variants:
            break
        leading += 1
    other = say("{} with {}", token(result.best_other), signed(result.best_other_logit))
    if leading <= 1:
        return say("The strongest token that is not the same word is {}.", other)
    return say(
        "The first {} tokens of its list are the same word spelled differently ({}), so a ranking "
        "that counts them as rivals would call the neuron ambiguous. The strongest token that is "
        "another word, or a piece of one, is {}.",
        count(leading),
        tokens(result.top_tokens[:leading]),
        other,
    )


def _foil(result: DirectEffect) -> Markup:
    vocabulary = int(result.bin_counts.sum())
    foil, logit = token(result.foil), signed(result.foil_logit)
    if result.foil_logit < 0:
        return say(
            "It also pushes {} down ({}; {} of {} tokens), so it works on both sides of "
            "the choice.",
            foil,
            logit,
            ordinal(result.foil_rank),
            count(vocabulary),
        )
    return say("It does not push {} down, but up ({}).", foil, logit)


def _peers(result: DirectEffect) -> Markup:
    ranks = (result.rank_by_target, result.rank_by_difference)
    if ranks == (1, 1):
        return say(
            "Of all neurons of the model it has the largest direct effect on {} and on the "
            "difference ({}; the next, {}, {}).",
            token(result.target),
            number(float(result.neurons_difference[0])),
            result.neurons_by_difference[1],
            number(float(result.neurons_difference[1])),
        )
    return say(
        "Of all neurons of the model it is {} by its direct effect on {} and {} by that on the "
        "difference.",
        ordinal(ranks[0]),
        token(result.target),
        ordinal(ranks[1]),
    )


def _caption(result: DirectEffect) -> Markup:
    place = "far out" if result.target_z > 5 else "not far out"
    return say(
        "The neuron’s write, read against the whole vocabulary: {} lies {} at {}. {}",
        token(result.target),
        place,
        signed(result.target_logit),
        _control(result),
    )


def _control(result: DirectEffect) -> Markup:
    above, trials = rotations_above(result), len(result.rotated_best)
    strongest = number(float(result.rotated_best.max()))
    if not above:
        return say(
            "No random rotation of the same length writes any token as strongly (strongest of {}: "
            "{}).",
            count(trials),
            strongest,
        )
    return say(
        "Random rotations of the same length do as well: {} of {} write some token as strongly "
        "(strongest: {}).",
        count(above),
        count(trials),
        strongest,
    )


def _congruence(result: DirectEffect) -> Markup:
    shared = len(set(result.embedding_tokens) & set(result.top_tokens))
    told = say(
        "By that measure {} is {} too." if result.embedding_rank == result.target_rank
        else "By that measure {} is {}.",
        token(result.target),
        ordinal(result.embedding_rank),
    )  # fmt: skip
    verdict = "agree" if shared > len(result.top_tokens) // 2 else "disagree"
    return told + say(
        " The two lists {}: {} of the first {} tokens are in both.",
        verdict,
        count(shared),
        plural(len(result.top_tokens), "token", "tokens").split()[0],
    )


def _tokens_caption(result: DirectEffect) -> Markup:
    return say(
        "Most raised: {}. Most lowered: {}.",
        tokens(result.top_tokens[:4]),
        tokens(result.bottom_tokens[:3]),
    )


def _wrong(result: DirectEffect) -> Markup:
    above, trials = rotations_above(result), len(result.rotated_best)
    low, high = share_interval(above, trials)
    typical = number(float(np.median(result.rotated_best)))
    told = say(
        "Any direction has a favourite token among {}. The control turns the same vector to {} "
        "random directions: their favourites get {} in the median. ",
        count(int(result.bin_counts.sum())),
        count(trials),
        typical,
    )
    share = say(
        " The share of rotations as strong lies between {} and {} (95\u202f% interval).",
        percent(low),
        percent(high),
    )
    return told + _control(result) + share
