"""Does congruence predict behaviour? Neurons of mutual pairs against permuted pairs, on text."""

import math

from markupsafe import Markup

from analysis.experiments.census import Census
from report.claims.wording import number, percent, plural, say, span, token

WEAK = 0.2
"""Mean correlations below this are called weak."""

MEASURES = ("by the product itself", "less the mean", "in standard deviations")
RAW, STANDARDISED = 0, 2
LOG, PROBABILITY, NEXT = range(3)


def predicts(result: Census, measure: int = RAW, outcome: int = LOG) -> int:
    """1 where pairs beat permuted pairs beyond doubt, -1 where they lose, 0 where neither."""
    _, low, high = result.advantage[measure, outcome, 0].tolist()
    return 1 if low > 0 else -1 if high < 0 else 0


def behaviour_heading(result: Census) -> str:
    """The answer to the question that nobody tested."""
    if not result.agreement_tokens:
        return "Whether congruence predicts behaviour was not asked"
    if predicts(result) != 1:
        return "Congruence does not predict behaviour"
    if result.correlation[RAW, LOG, 0] < WEAK:
        return "Congruence predicts behaviour, but weakly"
    return "Congruence predicts behaviour"


def behaviour(result: Census) -> Markup:
    """What the pairs do on text."""
    if not result.agreement_tokens:
        return say("No text was read.")
    return (
        _against(result)
        + _rivals(result)
        + _probability(result)
        + _next(result)
        + _score(result)
        + _asked(result)
    )


def _against(result: Census) -> Markup:
    own, other, within = result.correlation[RAW, LOG].tolist()
    gained, low, high = result.advantage[RAW, LOG, 0].tolist()
    verdict = {
        1: "more than chance gives",
        0: "no more than chance gives",
        -1: "less than chance gives",
    }[predicts(result)]
    return say(
        "If a neuron’s weights tell what it is for, it should be active where the model expects "
        "its word. Over {} of news, the activation of {} of these pairs goes with the "
        "log-probability "
        "of the pair’s word with a mean correlation of {}, {}: the same neurons with the tokens "
        "permuted have {} (within the same layer {}), a difference of {} ({}).",
        plural(result.agreement_tokens, "token", "tokens"),
        plural(int(result.pairs_read[RAW, LOG]), "neuron", "neurons"),
        number(own, 3),
        verdict,
        number(other, 3),
        number(within, 3),
        number(gained, 3),
        span(low, high, 3),
    )


def _rivals(result: Census) -> Markup:
    pairs = int(result.pairs_read[RAW, LOG])
    if not pairs:
        return say("")
    return say(
        " For {} of them no other pair’s word goes with the neuron better; chance would give {}.",
        percent(float(result.first[RAW, LOG, 0])),
        percent(1 / pairs),
    )


def _probability(result: Census) -> Markup:
    """The probability itself weighs the few places where the word is really expected."""
    told = say(" Compared with the probability itself, the differences are ")
    parts = [
        say(
            "{} {} ({})",
            number(float(result.advantage[m, PROBABILITY, 0, 0]), 3),
            name,
            _span(result, m, PROBABILITY),
        )
        for m, name in enumerate(MEASURES)
    ]
    told += Markup("; ").join(parts) + say(".")
    if predicts(result, STANDARDISED, PROBABILITY) < 0:
        told += say(
            " So the pairs that stand out most from their neuron’s own spread go the other way: "
            "where their word is likely they tend to write against it. Weights tell which word a "
            "neuron is about, and not with which sign it is used."
        )
    return told


def _span(result: Census, measure: int, outcome: int) -> str:
    _, low, high = result.advantage[measure, outcome, 0].tolist()
    return span(low, high, 3)


def _next(result: Census) -> Markup:
    pairs = int(result.pairs_read[RAW, NEXT])
    gained, low, high = result.advantage[RAW, NEXT, 0].tolist()
    if pairs < 2 or not math.isfinite(gained):
        return say(" Too few of these words really come next in the sample to ask the text itself.")
    verdict = {
        1: "the text itself agrees",
        0: "the text itself does not bear it out",
        -1: "the text itself says the opposite",
    }[predicts(result, RAW, NEXT)]
    return say(
        " Asked whether the word really comes next, {}: {} is the difference for the {} that come "
        "often enough ({}).",
        verdict,
        number(gained, 3),
        plural(pairs, "pair", "pairs"),
        span(low, high, 3),
    )


def _score(result: Census) -> Markup:
    rho, low, high = result.score_correlation[RAW, LOG].tolist()
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
    gained = [float(result.advantage[m, PROBABILITY, 0, 0]) for m in range(len(MEASURES))]
    parts = [say("{} {}", number(g, 3), name) for g, name in zip(gained, MEASURES, strict=True)]
    return say(
        "Pairs against permuted pairs: mean correlation with the word’s probability differs by {}.",
        Markup(", ").join(parts),
    )
