"""Which neuron for which word: standing, mutual pairs, hubs, and whether congruence matters."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.claims.agreement import behaviour, behaviour_caption, behaviour_heading
from analysis.claims.wording import count, number, ordinal, percent, plural, say, token
from analysis.evidence import Evidence
from analysis.experiments.census import Census

HUB = 0.5
"""First for more than this share of the vocabulary, a neuron is a hub that spoils the count."""


@dataclass(frozen=True)
class CensusClaims:
    """Claims about all neurons and all tokens."""

    heading: str
    size: Markup
    directions: Markup
    standing: Markup
    others: Markup
    pair: Markup
    caption: Markup
    hubs: Markup
    hubs_caption: Markup
    behaviour_heading: str
    behaviour: Markup
    behaviour_caption: Markup
    wrong: Markup


def census(evidence: Evidence) -> CensusClaims:
    """Read the claims off the census."""
    result = evidence.census
    return CensusClaims(
        heading=_heading(result),
        size=_size(result),
        directions=_directions(result),
        standing=_standing(result),
        others=_others(result),
        pair=_pair(result),
        caption=_caption(result),
        hubs=_hubs(result),
        hubs_caption=_hubs_caption(result),
        behaviour_heading=behaviour_heading(result),
        behaviour=behaviour(result),
        behaviour_caption=behaviour_caption(result),
        wrong=_wrong(result),
    )


def _first(result: Census) -> bool:
    return int(result.order_rank[0]) == 1


def _heading(result: Census) -> str:
    if not _first(result):
        return "Of all neurons, others write the word more"
    if (result.order_rank[: len(result.measures)] == 1).all():
        return "Of all neurons, none writes the word more"
    return "First of all neurons for the word, by one measure and not by another"


def _size(result: Census) -> Markup:
    return say(
        "{} neurons times {} tokens ({} words, when case and surrounding space are put aside)",
        count(result.neurons),
        count(result.vocabulary),
        count(result.words),
    )


def _directions(result: Census) -> Markup:
    if result.directions == 1:
        return say(
            "This model’s MLPs are plain: a neuron hardly goes below zero, so each counts with "
            "positive activation only."
        )
    return say(
        "A gated neuron can be active with either sign, so each counts in both directions; with a "
        "minus behind its name, as in {}−, it is read with negative activation, and then writes "
        "the opposite of its output weights.",
        result.neuron.rstrip("−"),
    )


def _standing(result: Census) -> Markup:
    """Where the neuron stands for the target's own token, by the product itself."""
    names, values = result.order_units[0], result.order_values[0]
    if _first(result):
        told = say(
            "For {} {} comes first of all neurons: {} logits per unit of activation",
            token(result.target),
            result.neuron,
            number(float(result.order_value[0])),
        )
        if len(names) < 2:
            return told + say(".")
        return told + say(", ahead of {} with {}.", names[1], number(float(values[1])))
    return say(
        "For {} {} is only {} of all neurons, with {} logits per unit of activation; first is {} "
        "with {}.",
        token(result.target),
        result.neuron,
        ordinal(int(result.order_rank[0])),
        number(float(result.order_value[0])),
        names[0],
        number(float(values[0])),
    )


def _others(result: Census) -> Markup:
    """What becomes of its rank by other measures."""
    ranks = dict(zip(result.orders, result.order_rank.tolist(), strict=True))
    leaders = {
        name: names[0] for name, names in zip(result.orders, result.order_units, strict=True)
    }
    told = say(
        "By the difference to {} it is {}, and by the original’s product with the embeddings {}.",
        token(result.foil),
        ordinal(ranks["difference"]),
        ordinal(ranks["embedding"]),
    )
    if {ranks["centred"], ranks["standardised"]} == {1}:
        return told + say(
            " It stays first when each neuron’s mean over the vocabulary is taken off, and when "
            "logits are counted in the neuron’s own standard deviations."
        )
    return told + say(
        " Less each neuron’s mean over the vocabulary, which no softmax sees, it is {} (first: "
        "{}); in the neuron’s own standard deviations it is {} (first: {}). The size of a neuron’s "
        "weights is not the size of its effect: how active it gets counts as much.",
        ordinal(ranks["centred"]),
        leaders["centred"],
        ordinal(ranks["standardised"]),
        leaders["standardised"],
    )


def _pair(result: Census) -> Markup:
    """Whether neuron and target are each other's best, and how cleanly."""
    word, neuron = token(result.target), result.neuron
    pairs = int(result.mutual[0, 0])
    (gaps, single), rank = result.asked_gaps[0], int(result.asked_rank[0])
    if not rank:
        return say(
            "{} and {} are not each other’s best: there are {}, and this is none of them.",
            neuron,
            word,
            plural(pairs, "mutual pair", "mutual pairs"),
        )
    told = say(
        "{} and {} are each other’s best, one of {}. Their score is {} (ahead of the next neuron "
        "by {}, of the next word by {}), which makes them {} of these pairs.",
        neuron,
        word,
        plural(pairs, "mutual pair", "mutual pairs"),
        number(float(gaps.prod())),
        number(float(gaps[0])),
        number(float(gaps[1])),
        ordinal(rank),
    )
    if (single <= 0).any():
        return told + say(" With every spelling a rival they would not be each other’s best.")
    close = ": another spelling is close behind" if single.prod() < gaps.prod() / 2 else ""
    return told + say(
        " With every spelling a rival the score would be {}{}.", number(float(single.prod())), close
    )


def _caption(result: Census) -> Markup:
    best = [int(np.flatnonzero(result.pair_measure == place)[0]) for place in _with_pairs(result)]
    if not best:
        return say("No neuron and word are each other’s best.")
    named = [
        say("{} and {}", token(result.pair_tokens[i]), result.pair_units[i])
        for i in sorted({best[0], best[-1]})
    ]
    told = "Words and neurons that are each other’s best. Cleanest: {}."
    return say(told, Markup("; ").join(named))


def _with_pairs(result: Census) -> list[int]:
    return [place for place in (0, 2) if (result.pair_measure == place).any()]


def _hub(result: Census, kind: int) -> tuple[str, float]:
    row = int(np.flatnonzero(result.hub_measure == kind)[0])
    return result.hub_units[row], float(result.hub_counts[row] / result.hub_tokens[kind])


def _hubs(result: Census) -> Markup:
    """Whether one neuron is first for most tokens, and what takes that away."""
    (name, share), (_, centred) = _hub(result, 0), _hub(result, 1)
    (other, left), (embedded, by_embedding) = _hub(result, 2), _hub(result, 3)
    original = say(
        " In GPT-2 Large the original’s product had one too: L35N3354 was first for 37,150 of "
        "50,257 tokens. By that product this model’s largest is {}, first for {} of a random "
        "sample of {} "
        "tokens.",
        embedded,
        percent(by_embedding),
        count(int(result.hub_tokens[3])),
    )
    if share <= HUB:
        return (
            say(
                "There is no hub: no neuron is first for more than {} of the vocabulary ({}).",
                percent(share),
                name,
            )
            + original
        )
    return (
        say(
            "One neuron is a hub: {} is first for {} of the vocabulary. What a neuron adds to all "
            "logits alike changes no probability: less each neuron’s mean the largest share is "
            "{}; in standard deviations it is {} ({}).",
            name,
            percent(share),
            percent(centred),
            percent(left),
            other,
        )
        + original
    )


def _hubs_caption(result: Census) -> Markup:
    name, share = _hub(result, 0)
    verdict = "is first for most tokens" if share > HUB else "is the largest hub, and small"
    return say(
        "{} {} by the product itself ({}); in standard deviations no neuron is for more than {}.",
        name,
        verdict,
        percent(share),
        percent(_hub(result, 2)[1]),
    )


def _wrong(result: Census) -> Markup:
    told = say(
        "A mutual pair must exist in any table of numbers, random ones too, so being one proves "
        "little; that is why pairs are followed on text, beside the same neurons with the same "
        "tokens permuted. An activation also raises its own token’s logit by construction, so "
        "part of any agreement with the model’s prediction is mechanical; agreement with the "
        "text’s own next token is not. Correlations are over {} in {} of news, whose neighbours "
        "are not "
        "independent; the intervals are over pairs.",
        plural(result.agreement_tokens, "token", "tokens"),
        plural(result.windows, "stretch", "stretches"),
    )
    kept = result.mutual[0]
    return told + say(
        " Merging spellings keeps {} of {} pairs by the product itself: it can only take pairs "
        "away, and only widens the gap to a neuron’s next word.",
        count(int(kept[0])),
        count(int(kept[1])),
    )
