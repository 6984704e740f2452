"""Which tokens the neuron writes, whatever the prompt."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.claims.loudness import quieter, sign
from analysis.claims.turned import turned
from analysis.claims.wording import (
    count,
    number,
    ordinal,
    percent,
    say,
    signed,
    token,
    tokens,
)
from analysis.evidence import Evidence
from analysis.experiments.direct_effect import DirectEffect
from analysis.numbers.statistics import share_interval

FAR = 5
"""A token this many standard deviations from the mean lies far out."""


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
    """Read the claims off the neuron's output weights, with the sign it has on the prompt."""
    result, raw = as_used(evidence), evidence.direct_effect
    return Writes(
        heading=_heading(evidence),
        target=writes_target(evidence),
        variants=_variants(result),
        foil=_foil(result),
        peers=_peers(result),
        caption=caption(raw, result),
        congruence=_congruence(result),
        tokens_caption=_tokens_caption(raw),
        wrong=_wrong(result),
    )


def as_used(evidence: Evidence) -> DirectEffect:
    """The direct effect, turned round where the clean prompt lowers the neuron's activation."""
    if sign(evidence.activations) > 0:
        return evidence.direct_effect
    return turned(evidence.direct_effect, evidence.neuron_sweep.recovery.size)


def writes_it(result: DirectEffect) -> bool:
    """Whether the target is first but for its own variants of case and space."""
    return result.target_logit > result.best_other_logit


def rotations_above(result: DirectEffect) -> int:
    """How many random directions write some token as strongly as the neuron writes the target."""
    return int((result.rotated_best >= result.target_logit).sum())


def _heading(evidence: Evidence) -> str:
    result = as_used(evidence)
    if not writes_it(result):
        return "It does not write the word"
    if quieter(evidence.activations):
        return "It holds the word back, and lets go of it"
    if sign(evidence.activations) < 0:
        return "It writes the word, with negative activation"
    spelled = len(result.variants) > 1 and result.variant_logits.min() > 2 * result.spread
    return "It writes the word, in every spelling" if spelled else "It writes the word"


def writes_target(evidence: Evidence) -> Markup:
    """Whether the neuron's output weights point at the target, with the sign that it has."""
    result, turn = as_used(evidence), sign(evidence.activations) < 0
    if not writes_it(result):
        return _not_directly(result) + (_sign_turned(evidence) if turn else say(""))
    if quieter(evidence.activations):
        told = "It holds {} back on the corrupted prompt, and stops on the clean one: "
    elif turn:
        told = "It writes {} directly, with negative activation: "
    else:
        told = "It writes {} directly: "
    verdict = say(told, token(result.target)) + _far(result, "lower" if turn else "raise")
    if not turn:
        return verdict
    return verdict + say(
        " Logits in this section’s text are those of the turned sign; the figures show one unit of "
        "positive activation."
    )


def _sign_turned(evidence: Evidence) -> Markup:
    """Why the weights count with their sign turned."""
    if quieter(evidence.activations):
        why = "on the clean prompt the neuron’s activation falls"
    else:
        why = "the neuron works with negative activation"
    return say(" The sign of its weights is turned here, since {}.", why)


def _far(result: DirectEffect, verb: str) -> Markup:
    """Where in the vocabulary the target lies."""
    return say(
        "of the {} tokens of the vocabulary its output weights {} {} {}, {} standard deviations {} "
        "the mean.",
        count(int(result.bin_counts.sum())),
        verb,
        token(result.target),
        _most(result.target_rank),
        number(result.target_z, 1),
        "above" if verb == "raise" else "below",
    )


def _most(rank: int) -> str:
    return "most" if rank == 1 else f"{ordinal(rank)} most"


def _not_directly(result: DirectEffect) -> Markup:
    return say(
        "It does not write {} directly: its output weights raise {} more than the target, which is "
        "{} of {} tokens.",
        token(result.target),
        token(result.best_other),
        ordinal(result.target_rank),
        count(int(result.bin_counts.sum())),
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
        told = "Of all neurons of the model it has the largest direct effect on {} and on the "
        return say(told + "difference{}.", token(result.target), _next_peer(result))
    return say(
        "Of all neurons of the model it is {} by its direct effect on {} and {} by that on the "
        "difference.",
        ordinal(ranks[0]),
        token(result.target),
        ordinal(ranks[1]),
    )


def _next_peer(result: DirectEffect) -> str:
    """The largest difference and the one after it, where the result holds them."""
    if len(result.neurons_by_difference) < 2:
        return ""
    most, less = (number(float(value)) for value in result.neurons_difference[:2])
    return f" ({most}; the next, {result.neurons_by_difference[1]}, {less})"


def caption(raw: DirectEffect, result: DirectEffect) -> Markup:
    """Where the target lies among all tokens, in one sentence."""
    place = "far out" if abs(raw.target_z) > FAR else "not far out"
    return say(
        "The neuron’s write, read against the whole vocabulary: {} lies {} at {}. {}",
        token(raw.target),
        place,
        signed(raw.target_logit),
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
    told = say(
        "By that measure {} is {} too." if result.embedding_rank == result.target_rank
        else "By that measure {} is {}.",
        token(result.target),
        ordinal(result.embedding_rank),
    )  # fmt: skip
    if not result.embedding_tokens:
        return told
    shared = len(set(result.embedding_tokens) & set(result.top_tokens))
    verdict = "agree" if shared > len(result.top_tokens) // 2 else "disagree"
    return told + say(
        " The two lists {}: {} of the first {} tokens are in both.",
        verdict,
        count(shared),
        count(len(result.top_tokens)),
    )


def _tokens_caption(result: DirectEffect) -> Markup:
    return say(
        "Per unit of activation, most raised: {}. Most lowered: {}.",
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
