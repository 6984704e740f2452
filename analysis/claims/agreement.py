"""Does congruence predict behaviour? Neurons of mutual pairs against permuted pairs, on text."""

import math

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from analysis.claims.wording import number, percent, plural, say, span, token
from analysis.experiments.census import FOLLOWED, Census

MEASURES = ("by the product itself", "less the mean", "in standard deviations")
RAW, STANDARDISED = 0, 2
LOG, PROBABILITY, NEXT = range(3)


def _sign(estimate: Float[np.ndarray, " 3"]) -> int:
    """1 or -1 where an interval lies wholly on that side of zero, else 0."""
    _, low, high = estimate.tolist()
    return 1 if low > 0 else -1 if high < 0 else 0


def about(result: Census) -> bool:
    """Whether activations go with their pair's word, in whichever direction, beyond doubt."""
    return _sign(result.size_advantage[RAW, PROBABILITY, 0]) > 0


def towards(result: Census) -> bool:
    """Whether they mostly go the way that the weights tell: at least half of the size is left."""
    own = float(result.correlation[RAW, PROBABILITY, 0])
    size = float(result.size[RAW, PROBABILITY, 0])
    return _sign(result.advantage[RAW, PROBABILITY, 0]) > 0 and own > size / 2


def behaviour_heading(result: Census) -> str:
    """The answer to the question that nobody tested."""
    if not result.agreement_tokens:
        return "Whether congruence predicts behaviour was not asked"
    if not np.isfinite(result.size_advantage[RAW, PROBABILITY, 0]).all():
        return "Too few pairs to tell whether congruence predicts behaviour"
    if not about(result):
        return "Congruence does not predict behaviour"
    if towards(result):
        return "Congruence predicts behaviour"
    return "Congruence tells which word a neuron is about, not which way it is used"


def behaviour(result: Census) -> Markup:
    """What the pairs do on text."""
    if not result.agreement_tokens:
        return say("No text was read.")
    return (
        _size(result)
        + _left_out(result)
        + _way(result)
        + _others(result)
        + _next(result)
        + _score(result)
        + _asked(result)
    )


def _size(result: Census) -> Markup:
    own, other, within = result.size[RAW, PROBABILITY].tolist()
    gained, low, high = result.size_advantage[RAW, PROBABILITY, 0].tolist()
    return say(
        "If weights tell what a neuron is for, its activation should go with the model’s "
        "expectation of its word. Over {} of news, the correlation of activation and probability "
        "has, sign aside, a mean size of {} for {} by the product itself. The same neurons with "
        "the tokens permuted have {} (within the same layer {}): {}, with a difference of {} ({}).",
        plural(result.agreement_tokens, "token", "tokens"),
        number(own, 3),
        plural(int(result.pairs_read[RAW, PROBABILITY]), "pair", "pairs"),
        number(other, 3),
        number(within, 3),
        _against_chance(result),
        number(gained, 3),
        span(low, high, 3),
    )


def _against_chance(result: Census) -> str:
    if about(result):
        return "far from chance"
    known = np.isfinite(result.size_advantage[RAW, PROBABILITY, 0]).all()
    return "no more than chance gives" if known else "too few to tell from chance"


def _left_out(result: Census) -> Markup:
    """How many pairs have a neuron that never changes, which goes with nothing."""
    followed = min(FOLLOWED, int(result.mutual[RAW, 0]))
    still = followed - int(result.pairs_read[RAW, PROBABILITY])
    if still <= 0:
        return say("")
    return say(
        " ({} more cannot be asked: the neuron’s activation never changes there.)",
        plural(still, "pair", "pairs"),
    )


def _way(result: Census) -> Markup:
    """Whether the sign is the one that the weights tell."""
    most, least = result.first[RAW, PROBABILITY].tolist()
    pairs = max(1, int(result.pairs_read[RAW, PROBABILITY]))
    verdict = (
        "And it mostly goes the way the weights tell"
        if towards(result)
        else "But the sign is not the one the weights tell, or not reliably"
    )
    told = say(
        " {}: with its sign the mean is {}, against {} for permuted pairs (difference {}, {}). Of "
        "all these words their own goes with the neuron best for {} of the pairs, and goes against "
        "it most for {}; chance would give {} each.",
        verdict,
        number(float(result.correlation[RAW, PROBABILITY, 0]), 3),
        number(float(result.correlation[RAW, PROBABILITY, 1]), 3),
        number(float(result.advantage[RAW, PROBABILITY, 0, 0]), 3),
        _span(result, RAW, PROBABILITY),
        percent(most),
        percent(least),
        percent(1 / pairs),
    )
    if about(result) and not towards(result):
        told += say(
            " So many neurons are active, where their word is likely, with the sign that writes "
            "against it, as neurons that hold a word back would be."
        )
    return told


def _others(result: Census) -> Markup:
    """The other measures, and the logarithm, by differences with their intervals."""
    parts = [
        say(
            "{} {} ({})",
            number(float(result.advantage[m, o, 0, 0]), 3),
            name,
            _span(result, m, o),
        )
        for m, o, name in (
            (RAW, LOG, f"with the log-probability {MEASURES[RAW]}"),
            (STANDARDISED, LOG, f"with the log-probability {MEASURES[STANDARDISED]}"),
            (STANDARDISED, PROBABILITY, f"with the probability {MEASURES[STANDARDISED]}"),
        )
    ]
    return say(" Other ways to ask give differences, sign kept, of {}.", Markup("; ").join(parts))


def _span(result: Census, measure: int, outcome: int) -> str:
    _, low, high = result.advantage[measure, outcome, 0].tolist()
    return span(low, high, 3)


def _next(result: Census) -> Markup:
    pairs = int(result.pairs_read[RAW, NEXT])
    gained, low, high = result.size_advantage[RAW, NEXT, 0].tolist()
    if pairs < 2 or not math.isfinite(gained):
        return say(" Too few of these words really come next in the sample to ask the text itself.")
    agrees = _sign(result.size_advantage[RAW, NEXT, 0]) > 0
    verdict = "the text itself agrees" if agrees else "the text itself does not bear it out"
    return say(
        " Asked whether the word really comes next, {}: the sizes differ by {} for the {} whose "
        "word comes often enough ({}).",
        verdict,
        number(gained, 3),
        plural(pairs, "pair", "pairs"),
        span(low, high, 3),
    )


def _score(result: Census) -> Markup:
    rho, low, high = result.score_correlation[RAW, PROBABILITY].tolist()
    if not math.isfinite(rho):
        return say("")
    verdict = (
        "A cleaner pair goes with its word better"
        if low > 0
        else "A cleaner pair goes with its word less"
        if high < 0
        else "How clean a pair is says nothing about how well it goes with its word"
    )
    return say(
        " {} (rank correlation of score and correlation {}, {}).",
        verdict,
        number(rho),
        span(low, high),
    )


def _asked(result: Census) -> Markup:
    by_log, by_probability = result.asked_correlation[:2].tolist()
    return say(
        " {} and {} themselves: {} with the log-probability, {} with the probability.",
        result.neuron,
        token(result.target),
        number(by_log),
        number(by_probability),
    )


def behaviour_caption(result: Census) -> Markup:
    """What the figure shows."""
    if not result.agreement_tokens:
        return say("Nothing was read.")
    gained = [float(result.size_advantage[m, PROBABILITY, 0, 0]) for m in range(len(MEASURES))]
    parts = [say("{} {}", number(g, 3), name) for g, name in zip(gained, MEASURES, strict=True)]
    verdict = (
        "Neurons go with their word’s probability, many of them against it"
        if about(result) and not towards(result)
        else "Neurons go with their word’s probability"
        if about(result)
        else "Neurons go with their word’s probability no more than with others’"
    )
    return say(
        "{}: the size of the correlation exceeds that of permuted pairs by {}.",
        verdict,
        Markup(", ").join(parts),
    )
