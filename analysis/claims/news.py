"""Whether the neuron is active in news drawn at random, and what stands where it is."""

from functools import partial

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from analysis.claims.loudness import (
    expected,
    explained,
    fires_before,
    is_loud,
    likely,
    loud,
    peak,
    quieter,
    sampled,
    sign,
    silent,
)
from analysis.claims.wording import count, number, percent, plural, say, share_span, span, token
from analysis.experiments.activations import Activations
from analysis.numbers.statistics import ratio_interval, share_interval

SEED = 0
FEW = 0.1
"""Loud at a smaller share of places than this, the neuron is quiet there."""


def texts_drawn(result: Activations) -> str:
    """What the sample is, in words."""
    drawn = plural(result.random_texts, "news article", "news articles")
    return f"the first tokens of {drawn} drawn at random"


def _range(result: Activations) -> tuple[str, str]:
    values = result.activations[sampled(result)]
    return number(float(values.min())), number(float(values.max()))


def on_news(result: Activations) -> Markup:
    """Whether it is active on the beginnings of news articles drawn at random."""
    size, reached = int(sampled(result).sum()), loud(result)
    told = say(
        "of {} tokens, {}, {} half of the {} it has on the {} prompt ({}); activations there go "
        "from {} to {}.",
        count(size),
        texts_drawn(result),
        "none reaches" if not reached else plural(reached, "reaches", "reach"),
        number(peak(result) * _heard(result)),
        "corrupted" if quieter(result) else "clean",
        share_span(*share_interval(reached, size)),
        *_range(result),
    )
    told += say(" The first token of each, on which models park their attention, is left out.")
    if silent(result):
        return say("It is nearly silent on news text: ") + told
    return say("It is active on news text too: ") + told


def _heard(result: Activations) -> int:
    """Sign of the activations that count as loud."""
    return -sign(result) if quieter(result) else sign(result)


def _by_text(
    result: Activations, values: Float[np.ndarray, " token"], follows: bool
) -> tuple[Float[np.ndarray, " text"], Float[np.ndarray, " text"]]:
    """Sums and counts per random text, where the text's next token is the target or is another."""
    marks = sampled(result)
    sums, sizes = [], []
    for index in range(len(result.texts), len(result.lengths)):
        where = slice(result.text(index).start, result.text(index).stop - 1)
        chosen = marks[where] & ((result.next_is_target[where] > 0) == follows)
        if chosen.any():
            sums.append(values[where][chosen].sum())
            sizes.append(chosen.sum())
    return np.array(sums, dtype=float), np.array(sizes, dtype=float)


def _means(result: Activations) -> tuple[float, tuple[float, float], float, int]:
    """Mean activation before the target with its interval over texts, elsewhere, and how many."""
    read = partial(_by_text, result, result.activations)
    (sums, sizes), (other_sums, other_sizes) = read(follows=True), read(follows=False)
    elsewhere = float(other_sums.sum() / max(other_sizes.sum(), 1))
    if not len(sums):
        return 0.0, (0.0, 0.0), elsewhere, 0
    there = float(sums.sum() / sizes.sum())
    return there, ratio_interval(sums, sizes, SEED), elsewhere, int(sizes.sum())


def before_target(result: Activations) -> Markup:
    """Whether it is turned the clean prompt's way where the target really comes next."""
    there, (low, high), elsewhere, places = _means(result)
    target = token(result.target)
    if not places:
        return say("{} never comes next in the sample.", target)
    told = say(
        "In the sample {} comes next {}. There the mean activation is {} ({}), against {} "
        "elsewhere",
        target,
        plural(places, "time", "times"),
        number(there, 3),
        span(low, high, 3),
        number(elsewhere, 3),
    )
    if sign(result) > 0 and low > elsewhere:
        return told + say(": higher where {} follows.", target)
    if sign(result) < 0 and high < elsewhere:
        return told + say(": lower where {} follows, as on the clean prompt.", target)
    more = "higher" if sign(result) > 0 else "lower"
    none = ": these texts give no evidence that its activation is any {} where {} follows."
    return told + say(none, more, target)


def model_there(result: Activations) -> Markup:
    """What the neuron does where the model itself expects the target."""
    places, target = int(expected(result).sum()), token(result.target)
    if not places:
        return _expected_nowhere(result)
    loud_there = int((expected(result) & is_loud(result)).sum())
    told = say(
        "The model gives {} {} or more at {}, and the neuron is loud at {}",
        target,
        percent(likely(result)),
        plural(places, "place", "places"),
        f"{count(loud_there)} of them" if loud_there else "none of them",
    )
    if quieter(result):
        return told + say(".")
    if loud_there < FEW * places:
        return told + say(": in news it comes to that word by other means.")
    if 2 * loud_there >= places:
        return told + say(": it is at work there too.")
    return told + say(": at the others the model comes to that word by other means.")


def _expected_nowhere(result: Activations) -> Markup:
    highest, target = percent(float(result.p_target[sampled(result)].max())), token(result.target)
    if silent(result) and not quieter(result):
        return say(
            "The silence is the model’s as much as the neuron’s: nowhere in the sample does the "
            "model give {} more than {}. So the sample cannot show what the neuron does when {} "
            "is really expected; it shows how seldom that happens.",
            target,
            highest,
            target,
        )
    return say("Nowhere in the sample does the model give {} more than {}.", target, highest)


def caption(result: Activations) -> Markup:
    """Whether it is active in the sample, and between which bounds."""
    return say(
        "On {} tokens, {}, the neuron is {}: activations from {} to {}.",
        count(int(sampled(result).sum())),
        texts_drawn(result),
        "nearly silent" if silent(result) else "active too",
        *_range(result),
    )


def wrong(result: Activations) -> Markup:
    """What the random texts refute."""
    told = say(
        "A neuron shown only on prompts chosen to excite it will always look meaningful. The "
        "control is {}, with no eye on the neuron. ",
        texts_drawn(result),
    )
    if quieter(result):
        return told + say(
            "But ours is one that the clean prompt quiets, so being quiet there proves nothing."
        )
    if not silent(result):
        return told + _what_is_loud(result)
    if not fires_before(result):
        return told + say("There it hardly stirs, but neither does it fire where it should.")
    return told + say(
        "There it hardly stirs, so it is wrong to call it <em>the</em> {} neuron of this model: it "
        "is the one at work in sentences like ours.",
        token(result.target),
    )


def _what_is_loud(result: Activations) -> Markup:
    """Whether the tokens that excite it are those before the target."""
    reached, due, target = loud(result), explained(result), token(result.target)
    told = say(
        "There it is active as well, on {}; at {} of them {} comes next, or the model gives it {} "
        "or more",
        plural(reached, "token", "tokens"),
        count(due) if due else "none",
        target,
        percent(likely(result)),
    )
    if 2 * due >= reached:
        return told + say(": it is at work before {} well beyond sentences like ours.", target)
    return told + say(", so what excites it is more than the coming of {}.", target)
