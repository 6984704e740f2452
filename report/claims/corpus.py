"""Whether a neuron's activation on news tells where the target comes, and what excites it there."""

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.experiments.corpus_scan import BIN, CorpusScan
from analysis.numbers.statistics import share_interval
from report.claims.wording import (
    count,
    number,
    percent,
    plain,
    plural,
    say,
    share_span,
    span,
    token,
)
from report.evidence import Evidence

TOP_TOKENS = 20
"""The highest bins are pooled until they hold this many tokens."""


@dataclass(frozen=True)
class Example:
    """A token of a news article in its context, with the neuron's activation on it."""

    kind: str
    value: str
    before: str
    token: str
    after: str


@dataclass(frozen=True)
class Corpus:
    """Claims about the neuron on a corpus."""

    heading: str
    read: Markup
    curve: Markup
    lowest: Markup
    told_apart: Markup
    which: Markup
    rivals: Markup
    detector: Markup
    examples: tuple[Example, ...]
    caption: Markup
    auc_caption: Markup
    wrong: Markup


def corpus(evidence: Evidence) -> Corpus:
    """Read the claims off the scan."""
    result = evidence.corpus_scan
    return Corpus(
        heading=_heading(result),
        read=_read(result),
        curve=_curve(result),
        lowest=_lowest(result),
        told_apart=_told_apart(result),
        which=which(result),
        rivals=_rivals(result),
        detector=_detector(result),
        examples=tuple(_example(result, i) for i in range(len(result.kinds))),
        caption=_caption(result),
        auc_caption=_auc_caption(result),
        wrong=_wrong(result),
    )


def tells(result: CorpusScan, label: str, neuron: int = 0) -> bool:
    """Whether the AUC's interval leaves a coin on one side, in either direction."""
    _, low, high = result.auc[neuron, result.labels.index(label)]
    return bool(low > 0.5 or high < 0.5)


def _heading(result: CorpusScan) -> str:
    target = plain(result.target)
    if tells(result, "next"):
        return f"On news, its activation tells where “{target}” comes"
    if tells(result, "which"):
        foil = plain(result.foil)
        return f"On news, its activation tells “{target}” from “{foil}”, not where they come"
    if tells(result, "top"):
        return f"On news, its activation tells where the model says “{target}”, not where it comes"
    return f"On news, its activation does not tell where “{target}” comes"


def _read(result: CorpusScan) -> Markup:
    return say(
        "We read {} drawn at random to their ends, {} tokens, at most {} at a time. {} really "
        "follows {} of them, and is the model’s first choice after {}. All neurons of the model "
        "were tallied in the same pass.",
        plural(result.documents, "article", "articles"),
        count(result.tokens),
        count(result.window),
        token(result.target),
        count(result.next_count),
        count(result.top_count),
    )


def _uppermost(result: CorpusScan) -> tuple[float, int, int]:
    """Where the pooled highest bins begin, their tokens, and how many the target follows."""
    tokens = np.cumsum(result.bin_known[0][::-1])
    bins = min(int(np.searchsorted(tokens, TOP_TOKENS)) + 1, len(tokens))
    start = float(result.bin_start[-bins])
    return start, int(tokens[bins - 1]), int(result.bin_next[0][-bins:].sum())


def _rises(result: CorpusScan) -> bool:
    _, tokens, hits = _uppermost(result)
    return share_interval(hits, tokens)[0] > result.next_count / result.known


def _curve(result: CorpusScan) -> Markup:
    start, tokens, hits = _uppermost(result)
    told = say(
        "Where the activation is {} or more, on {}, {} follows {} of them ({}), against "
        "{} of all tokens.",
        number(start, 1),
        plural(tokens, "token", "tokens"),
        token(result.target),
        percent(hits / tokens),
        share_span(*share_interval(hits, tokens)),
        percent(result.next_count / result.known),
    )
    if _rises(result):
        return told + say(" The more active the neuron, the likelier the word.")
    return told + say(" So a high activation does not foretell the word here.")


def _lowest(result: CorpusScan) -> Markup:
    """What follows where the neuron is turned the other way."""
    after = [a for a, kind in zip(result.after, result.kinds, strict=True) if kind == "lowest"]
    foils, first = after.count(result.foil), next(iter(after[::-1]), "")
    if not foils:
        return say(
            "None of its {} lowest activations stands before {}.", len(after), token(result.foil)
        )
    rate = percent(result.foil_count / max(result.known, 1))
    return say(
        "A neuron has two ends, and this is the other: of its {} lowest activations {}{} before "
        "{}, which follows {} of all tokens.",
        count(len(after)),
        plural(foils, "stands", "stand"),
        ", the lowest among them," if first == result.foil else "",
        token(result.foil),
        rate,
    )


def which(result: CorpusScan) -> Markup:
    """Whether it tells target from foil once one of them is sure to come."""
    told = say(
        "Ask a narrower question, given that {} or {} comes next, which of them is it? There the "
        "AUC is {}: ",
        token(result.target),
        token(result.foil),
        _area(result, "which"),
    )
    if tells(result, "which"):
        return told + say("the activation tells the two apart.")
    return told + say("no better than a coin, as far as this sample shows.")


def _area(result: CorpusScan, label: str) -> Markup:
    area, low, high = result.auc[0, result.labels.index(label)]
    return say("{} ({})", number(float(area)), span(float(low), float(high)))


def _told_apart(result: CorpusScan) -> Markup:
    told = say(
        "One number sums this up: the chance that the activation is higher on a token before {} "
        "than on another (AUC; a coin gives {}). It is {} for the places where the model’s first "
        "choice is {}, and {} for those where the text goes on with it.",
        token(result.target),
        number(0.5, 1),
        _area(result, "top"),
        token(result.target),
        _area(result, "next"),
    )
    if tells(result, "next") and tells(result, "top"):
        return told + say(" Both are away from a coin’s: on news too, the neuron knows something.")
    if tells(result, "top"):
        return told + say(" It goes with what the model says, not with what the text says.")
    if tells(result, "next"):
        return told + say(" It goes with what the text says, not with what the model says first.")
    return told + say(" Neither can be told from a coin’s: news gives no evidence that it knows.")


def _rivals(result: CorpusScan) -> Markup:
    """Whether the next-best neurons of the sweep tell more."""
    column = result.labels.index("next")
    areas = np.abs(result.auc[:, column, 0] - 0.5)
    if len(areas) < 2 or not np.isfinite(areas).any():
        return say("There is no other neuron to compare it with.")
    best = int(np.nanargmax(areas))
    told = say(
        "Of the neurons that the sweep ranked first, {}, ",
        say(", ").join(result.neurons),
    )
    value = number(float(result.auc[best, column, 0]))
    if best == 0:
        return told + say("none tells the word’s places better than ours.")
    return told + say(
        "{} tells the word’s places better (AUC {}): best in our prompts is not best in news.",
        result.neurons[best],
        value,
    )


def _detector(result: CorpusScan) -> Markup:
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


def _example(result: CorpusScan, index: int) -> Example:
    kind = result.kinds[index]
    if kind not in ("highest", "lowest"):
        kind = f"quantile {kind}"
    return Example(
        kind=kind,
        value=number(float(result.values[index])),
        before=result.before[index],
        token=plain(result.token[index]),
        after=plain(result.after[index]),
    )


def _caption(result: CorpusScan) -> Markup:
    return say(
        "On {} tokens of news, {} {} comes next.",
        count(result.tokens),
        f"the more active {result.neurons[0]} is, the more often"
        if _rises(result)
        else f"high activation of {result.neurons[0]} does not foretell that",
        token(result.target),
    )


def _auc_caption(result: CorpusScan) -> Markup:
    return say(
        "{}’s activation {} the places of {} in news; beside it the neurons that came next in "
        "the sweep.",
        result.neurons[0],
        "tells" if tells(result, "next") else "does not tell",
        token(result.target),
    )


def _wrong(result: CorpusScan) -> Markup:
    edge = number(BIN, 1)
    return say(
        "Top examples alone flatter a neuron, so the table also shows random tokens around its "
        "quantiles. The curve counts every token in bins of {}, each with its interval, against "
        "the rate over all tokens. The threshold was chosen on one half of the articles and judged "
        "on the other; intervals of AUC, precision and recall are bootstraps over whole articles, "
        "because tokens of one article are alike. {} places where {} really comes are {}.",
        edge,
        count(result.next_count),
        token(result.target),
        "few, and all intervals are wide" if result.next_count < 100 else "enough for a first look",
    )
