"""On which tokens of the two prompts the neuron is active; news has a module of its own."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.claims import news
from analysis.claims.loudness import (
    ends,
    fires_before,
    loudness,
    negative,
    other_end,
    peak,
    quieter,
    sampled,
    silent,
    strongest,
)
from analysis.claims.wording import number, plural, say, token
from analysis.evidence import Evidence
from analysis.experiments.activations import Activations

NEAR_ZERO = 0.1
"""The neuron falls silent when this share of its activation, or less, is left."""


@dataclass(frozen=True)
class Activity:
    """Claims about when the neuron is active."""

    heading: str
    pair: Markup
    firing: Markup
    again: Markup
    caption: Markup
    news: Markup
    before_target: Markup
    model_there: Markup
    news_caption: Markup
    wrong: Markup


def activity(evidence: Evidence) -> Activity:
    """Read the claims off the activations."""
    result = evidence.activations
    return Activity(
        heading=_heading(result),
        pair=_pair(result),
        firing=firing(result),
        again=_again(result),
        caption=caption(result),
        news=news.on_news(result),
        before_target=news.before_target(result),
        model_there=news.model_there(result),
        news_caption=news.caption(result),
        wrong=news.wrong(result),
    )


def falls_silent(result: Activations) -> bool:
    """Whether the clean prompt leaves hardly anything of what the corrupted one excites."""
    return quieter(result) and abs(other_end(result)) <= NEAR_ZERO * peak(result)


def firing(result: Activations) -> Markup:
    """On which token of the clean prompt it fires."""
    texts = result.tokens[result.text(0)]
    if fires_before(result):
        return _before_not_on(result, texts[-1])
    if quieter(result):
        return _quieter(result, texts[-1])
    return say(
        "It does not fire most on the token before {}: on the clean prompt it is most active on "
        "{}.",
        token(result.target),
        token(texts[strongest(result)]),
    )


def _quieter(result: Activations, last: str) -> Markup:
    """It is the corrupted prompt that excites it."""
    clean, corrupted = ends(result)
    return say(
        "It {} on the token before {}, {}: its activation there is {}, against {} in the "
        "corrupted prompt, and it is what the neuron stops doing that counts.",
        "falls silent" if falls_silent(result) else "quiets down",
        token(result.target),
        token(last),
        number(clean),
        number(corrupted),
    )


def _before_not_on(result: Activations, last: str) -> Markup:
    """It fires before the target; the random texts tell whether it fires on the target too."""
    target = token(result.target)
    before = say(
        "it fires on the token before it, {}{}, while the choice is still open.",
        token(last),
        ", with negative activation" if negative(result) else "",
    )
    on_it = sampled(result) & (np.array(result.tokens) == result.target)
    if not on_it.any():
        return say("As for {}, ", target) + before
    return _on_it(result, np.flatnonzero(on_it)) + before


def _on_it(result: Activations, places: np.ndarray) -> Markup:
    """Whether it fires on the target's own token in the random texts."""
    loudest = places[loudness(result)[places].argmax()]
    times = plural(len(places), "time it stands", "times it stands")
    bound = number(float(result.activations[loudest]))
    if loudness(result)[loudest] < peak(result) / 2:
        told = "It does not fire <em>on</em> {} (on the {} in the news sample its activation is {} "
        at = "at least" if negative(result) else "at most"
        return say(told + "{}): ", token(result.target), times, at, bound)
    told = "It fires on {} itself too (on the {} in the news sample its activation is {} "
    to = "down to" if negative(result) else "up to"
    return say(told + "{}), but above all ", token(result.target), times, to, bound)


def _heading(result: Activations) -> str:
    second = "is nearly silent on news" if silent(result) else "is active on news text too"
    if quieter(result):
        verb = "falls silent" if falls_silent(result) else "quiets down"
        return f"It {verb} before the word, and {second}"
    fires = fires_before(result)
    first = "It fires before the word" if fires else "It does not fire before the word"
    return f"{first}, {'and' if fires != silent(result) else 'but'} {second}"


def _pair(result: Activations) -> Markup:
    clean, corrupted = ends(result)
    told = say(
        "On the last token, {}, its activation is {} after the clean prompt and {} after the "
        "corrupted one.",
        token(result.tokens[result.text(0)][-1]),
        number(clean),
        number(corrupted),
    )
    if peak(result) > 2 * max(other_end(result), 0):
        return told
    return told + say(" That is not a clear difference.")


def _again(result: Activations) -> Markup:
    """The same last token elsewhere in the clean prompt, where another word follows."""
    texts, where = result.tokens[result.text(0)], result.text(0)
    earlier = [i for i, text in enumerate(texts[:-1]) if text == texts[-1]]
    if not earlier:
        return say("That token occurs nowhere else in the prompt.")
    place = earlier[-1]
    told = say(
        "The very same token stands earlier in the prompt, followed by {}, and there its "
        "activation is {}.",
        token(texts[place + 1]),
        number(float(result.activations[where][place])),
    )
    loud_there = loudness(result)[where][place] >= peak(result) / 2
    if loud_there == quieter(result):
        return told + say(" So it does not answer to that token alone: what went before decides.")
    return told + say(" So it may simply answer to that token, whatever is about to be said.")


def caption(result: Activations) -> Markup:
    """The activation at the ends of the first two texts, in one sentence."""
    clean, corrupted = ends(result)
    return say(
        "Activation of {} token by token: {} at the end of the clean prompt, {} at the end of the "
        "corrupted one.",
        result.neuron,
        number(clean),
        number(corrupted),
    )
