"""How well a neuron's activation on news tells where the target comes: AUC, precision, recall."""

import math

import numpy as np
from jaxtyping import Int
from markupsafe import Markup

from analysis.claims.wording import (
    count,
    number,
    percent,
    plural,
    say,
    share_span,
    span,
    token,
)
from analysis.experiments.corpus_scan import BIN, CorpusScan
from analysis.numbers.statistics import share_interval

END_TOKENS = 20
"""The outermost bins are pooled until they hold this many tokens."""


def tells(result: CorpusScan, label: str, neuron: int = 0) -> bool:
    """Whether the AUC's interval leaves a coin on one side, in either direction."""
    _, low, high = result.auc[neuron, result.labels.index(label)]
    return bool(low > 0.5 or high < 0.5)


def end(
    result: CorpusScan, hits: Int[np.ndarray, "chosen bin"], *, high: bool
) -> tuple[float, int, int]:
    """Edge of the pooled bins at one end of the activation, their tokens, and hits among them."""
    step = -1 if high else 1
    tokens = np.cumsum(result.bin_known[0][::step])
    bins = min(int(np.searchsorted(tokens, END_TOKENS)) + 1, len(tokens))
    edge = float(result.bin_start[::step][bins - 1]) + (0 if high else BIN)
    return edge, int(tokens[bins - 1]), int(hits[0][::step][:bins].sum())


def ends(result: CorpusScan) -> Markup:
    """Whether one of the two words is near where the activation is far from zero."""
    either = result.bin_next + result.bin_foil
    rate = float(either[0].sum() / max(result.known, 1))
    words = token(result.target), token(result.foil)
    told = []
    for high, name in ((True, "high"), (False, "low")):
        _, tokens, hits = end(result, either, high=high)
        low, top = share_interval(hits, tokens)
        if low > rate:
            told.append(
                say("{} of {} at its {} end ({})", percent(hits / tokens),
                    plural(tokens, "token", "tokens"), name, share_span(low, top))
            )  # fmt: skip
    if not told:
        return say("Far from zero, neither {} nor {} is any nearer than elsewhere.", *words)
    return say(
        "Far from zero{} one of the two words is near: {} or {} follows {}, against {} of all.",
        " on either side" if len(told) == 2 else "",
        *words,
        say(" and ").join(told),
        percent(rate),
    )


def area(result: CorpusScan, label: str, neuron: int = 0) -> Markup:
    """The AUC of a neuron, by default the asked one, with its interval, if there is one."""
    value, low, high = map(float, result.auc[neuron, result.labels.index(label)])
    if not math.isfinite(low):
        return say("{}, from too few places for an interval", number(value))
    return say("{} ({})", number(value), span(low, high))


def told_apart(result: CorpusScan) -> Markup:
    """Whether its activation tells the places of the target from all others."""
    told = say(
        "One number sums this up: the chance that the activation is higher on a token before {} "
        "than on another (AUC; a coin gives {}). Over the {} after which {} really comes it is {}. "
        "Over the {} after which the model itself puts it first it is {}.",
        token(result.target),
        number(0.5, 1),
        plural(result.next_count, "place", "places"),
        token(result.target),
        area(result, "next"),
        plural(result.top_count, "place", "places"),
        area(result, "top"),
    )
    if tells(result, "next"):
        return told + say(" So on news, too, the neuron knows something of what comes.")
    if tells(result, "top"):
        return told + say(" It goes with what the model says, not with what the text says.")
    return told + say(" The first cannot be told from a coin’s.")


def which(result: CorpusScan) -> Markup:
    """Whether it tells target from foil once one of them is sure to come."""
    told = say(
        "Ask a narrower question, given that {} or {} comes next, which of them is it? There the "
        "AUC is {}: ",
        token(result.target),
        token(result.foil),
        area(result, "which"),
    )
    if tells(result, "which"):
        return told + say("the activation tells the two apart.")
    return told + say("no better than a coin, as far as this sample shows.")


def rivals(result: CorpusScan) -> Markup:
    """Whether a next-best neuron of the sweep tells more, or less, beyond the sample's doubt."""
    areas = np.abs(result.auc[:, result.labels.index("next"), 0] - 0.5)
    if len(areas) < 2 or not np.isfinite(areas[1:]).any():
        return say("There is no other neuron to compare it with.")
    rival = 1 + int(np.nanargmax(areas[1:]))
    told = say("Of the neurons that the sweep ranked first, {}, ", say(", ").join(result.neurons))
    least, most = reach(result, 0)
    rival_least, _ = reach(result, rival)
    numbers = (area(result, "next", rival), area(result, "next"))
    if rival_least > most:
        return told + say(
            "{} tells the word’s places better (AUC {}; ours {}): best in our prompts is not best "
            "in news.",
            result.neurons[rival],
            *numbers,
        )
    if all(least > reach(result, other)[1] for other in range(1, len(areas))):
        return told + say(
            "none tells the word’s places as well as ours: the next, {}, has an AUC of {}, ours "
            "{}.",
            result.neurons[rival],
            *numbers,
        )
    return told + say(
        "none can be said to tell the word’s places better than ours: the best of the others, {}, "
        "has an AUC of {}, ours {}.",
        result.neurons[rival],
        *numbers,
    )


def reach(result: CorpusScan, neuron: int) -> tuple[float, float]:
    """How far from a coin's the AUC is, in either direction: least and most by its interval."""
    _, low, high = (float(v) - 0.5 for v in result.auc[neuron, result.labels.index("next")])
    return max(low, -high, 0.0), max(high, -low)


def detector(result: CorpusScan) -> Markup:
    """Precision and recall where the threshold was not chosen."""
    column = result.labels.index("next")
    threshold = float(result.threshold[0, column])
    detected, positives, hits = (int(n) for n in result.counts[0, column])
    if not math.isfinite(threshold) or not positives:
        return say("The sample holds too few {} to judge a detector by.", token(result.target))
    side = "at least" if result.direction[0, column] > 0 else "at most"
    told = say(
        "As a detector of {}, with the threshold that is best on half of the articles (activation "
        "{} {}): on the other half it marks {} and finds {} of the {} places: recall {} ({})",
        token(result.target),
        side,
        number(threshold),
        plural(detected, "token", "tokens"),
        count(hits),
        count(positives),
        *_share(result.recall[0, column]),
    )
    if not detected:
        return told + say(".")
    return told + say(", precision {} ({}).", *_share(result.precision[0, column]))


def _share(values: np.ndarray) -> tuple[str, str]:
    value, low, high = map(float, values)
    return percent(value), share_span(low, high)
