"""On which tokens the neuron is active: in the two prompts and in news drawn at random."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from analysis.experiments.activations import Activations
from analysis.statistics import ratio_interval, share_interval
from report.claims.wording import count, number, percent, plural, say, share_span, span, token
from report.evidence import Evidence

SILENT = 1e-3
"""The neuron is nearly silent when fewer tokens than this share reach half of its peak."""
LIKELY = 0.5
SEED = 0


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
        caption=_caption(result),
        news=on_news(result),
        before_target=_before_target(result),
        model_there=_model_there(result),
        news_caption=_news_caption(result),
        wrong=_wrong(result),
    )


def peak(result: Activations) -> float:
    """Activation on the last token of the clean prompt."""
    return float(result.activations[result.text(0)][-1])


def fires_before(result: Activations) -> bool:
    """Whether, in the clean prompt, it is most active on the token before the target is due."""
    values = result.activations[result.text(0)]
    last = result.tokens[result.text(0)][-1]
    return bool(values.argmax() == len(values) - 1 and last != result.target)


def loud(result: Activations) -> int:
    """Tokens of the random texts on which it reaches half of its activation on the prompt."""
    return int((result.activations[result.random] >= peak(result) / 2).sum())


def silent(result: Activations) -> bool:
    """Whether it is nearly silent on the random texts."""
    return loud(result) < SILENT * len(result.activations[result.random])


def firing(result: Activations) -> Markup:
    """On which token of the clean prompt it fires."""
    texts = result.tokens[result.text(0)]
    values = result.activations[result.text(0)]
    if fires_before(result):
        return _before_not_on(result, texts[-1])
    strongest = int(values.argmax())
    return say(
        "It does not fire most on the token before {}: on the clean prompt it is most active on "
        "{}.",
        token(result.target),
        token(texts[strongest]),
    )


def _before_not_on(result: Activations, last: str) -> Markup:
    """It fires before the target; the random texts tell whether it fires on the target too."""
    target = token(result.target)
    words = np.array(result.tokens[result.random]) == result.target
    on_it = result.activations[result.random][words]
    before = say(
        "it fires on the token before it, {}, while the choice is still open.", token(last)
    )
    if not len(on_it):
        return say("As for {}, ", target) + before
    where = say(
        "on the {} in the news sample", plural(len(on_it), "time it stands", "times it stands")
    )
    highest = number(float(on_it.max()))
    if on_it.max() < peak(result) / 2:
        told = say(
            "It does not fire <em>on</em> {} ({} its activation is at most {}): ",
            target,
            where,
            highest,
        )
        return told + before
    too = "It fires on {} itself too ({} its activation is up to {}), but above all "
    return say(too, target, where, highest) + before


def _heading(result: Activations) -> str:
    first = (
        "It fires before the word" if fires_before(result) else "It does not fire before the word"
    )
    second = "is nearly silent on news" if silent(result) else "is active on news text too"
    joint = "and" if fires_before(result) != silent(result) else "but"
    return f"{first}, {joint} {second}"


def _pair(result: Activations) -> Markup:
    clean, corrupted = peak(result), float(result.activations[result.text(1)][-1])
    told = say(
        "On the last token, {}, its activation is {} after the clean prompt and {} after the "
        "corrupted one.",
        token(result.tokens[result.text(0)][-1]),
        number(clean),
        number(corrupted),
    )
    if clean > 2 * max(corrupted, 0):
        return told
    return told + say(" That is not a clear difference.")


def _again(result: Activations) -> Markup:
    """The same last token elsewhere in the clean prompt, where another word follows."""
    texts, values = result.tokens[result.text(0)], result.activations[result.text(0)]
    earlier = [i for i, text in enumerate(texts[:-1]) if text == texts[-1]]
    if not earlier:
        return say("That token occurs nowhere else in the prompt.")
    where = earlier[-1]
    told = say(
        "The very same token stands earlier in the prompt, followed by {}, and there its "
        "activation is {}.",
        token(texts[where + 1]),
        number(float(values[where])),
    )
    if values[where] < peak(result) / 2:
        return told + say(" So it does not answer to that token alone: what went before decides.")
    return told + say(" So it may simply answer to that token, whatever is about to be said.")


def _caption(result: Activations) -> Markup:
    clean, corrupted = peak(result), float(result.activations[result.text(1)][-1])
    return say(
        "Activation of {} token by token: {} at the end of the clean prompt, {} at the end of the "
        "corrupted one.",
        result.neuron,
        number(clean),
        number(corrupted),
    )


def on_news(result: Activations) -> Markup:
    """Whether it is active on news text drawn at random."""
    size = len(result.activations[result.random])
    reached = loud(result)
    told = say(
        "{} of {} tokens drawn at random reach half of the {} it has on the clean prompt ({}); "
        "activations there go from {} to {}.",
        "none" if not reached else count(reached),
        count(size),
        number(peak(result)),
        share_span(*share_interval(reached, size)),
        number(float(result.activations[result.random].min())),
        number(float(result.activations[result.random].max())),
    )
    if silent(result):
        return say("It is nearly silent on news text: ") + told
    return say("It is active on news text too: ") + told


def _by_text(
    result: Activations, values: Float[np.ndarray, " token"], follows: bool
) -> tuple[Float[np.ndarray, " text"], Float[np.ndarray, " text"]]:
    """Sums and counts per random text, where the text's next token is the target or is another."""
    sums, sizes = [], []
    for index in range(len(result.texts), len(result.lengths)):
        where = slice(result.text(index).start, result.text(index).stop - 1)
        chosen = (result.next_is_target[where] > 0) == follows
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


def _before_target(result: Activations) -> Markup:
    there, (low, high), elsewhere, places = _means(result)
    if not places:
        return say("{} never comes next in the sample.", token(result.target))
    told = say(
        "In the sample {} comes next {}. There the mean activation is {} ({}), against {} "
        "elsewhere",
        token(result.target),
        plural(places, "time", "times"),
        number(there, 3),
        span(low, high, 3),
        number(elsewhere, 3),
    )
    if low > elsewhere:
        return told + say(": higher where {} follows.", token(result.target))
    return told + say(
        ": these texts give no evidence that it is more active where {} follows.",
        token(result.target),
    )


def _model_there(result: Activations) -> Markup:
    chance = result.p_target[result.random]
    highest, likely = float(chance.max()), int((chance > LIKELY).sum())
    target = token(result.target)
    if not likely and silent(result):
        return say(
            "The silence is the model’s as much as the neuron’s: nowhere in the sample does the "
            "model give {} more than {}. So the sample cannot show what the neuron does when {} "
            "is really expected; it shows how seldom that happens.",
            target,
            percent(highest),
            target,
        )
    if silent(result):
        return say(
            "Yet the model gives {} more than {} at {}: in news it comes to that word by other "
            "means.",
            target,
            percent(LIKELY),
            plural(likely, "place", "places"),
        )
    return say(
        "The model gives {} more than {} at {} of the sample, and at most {}.",
        target,
        percent(LIKELY),
        plural(likely, "place", "places"),
        percent(highest),
    )


def _news_caption(result: Activations) -> Markup:
    values = result.activations[result.random]
    verdict = "nearly silent" if silent(result) else "active too"
    return say(
        "On {} tokens of randomly drawn news the neuron is {}: activations from {} to {}.",
        count(len(values)),
        verdict,
        number(float(values.min())),
        number(float(values.max())),
    )


def _wrong(result: Activations) -> Markup:
    told = say(
        "A neuron shown only on prompts chosen to excite it will always look meaningful. The "
        "control is {} texts drawn at random, with no eye on the neuron. ",
        count(result.random_texts),
    )
    if not silent(result):
        return told + say(
            "There it is active as well, on {}, so what excites it is more than our sentence.",
            plural(loud(result), "token", "tokens"),
        )
    if not fires_before(result):
        return told + say("There it hardly stirs, but neither does it fire where it should.")
    return told + say(
        "There it hardly stirs, so it is wrong to call it <em>the</em> {} neuron of this model: it "
        "is the one at work in sentences like ours.",
        token(result.target),
    )
