"""Whether a neuron's activation on news tells where the target comes, and what excites it there."""

from dataclasses import dataclass

from markupsafe import Markup

from analysis.claims import telling
from analysis.claims.wording import (
    count,
    number,
    percent,
    plain,
    plural,
    say,
    share_span,
    token,
)
from analysis.evidence import Evidence
from analysis.experiments.corpus_scan import BIN, CorpusScan
from analysis.numbers.statistics import share_interval


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
    ends: Markup
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
        ends=telling.ends(result),
        told_apart=telling.told_apart(result),
        which=telling.which(result),
        rivals=telling.rivals(result),
        detector=telling.detector(result),
        examples=tuple(_example(result, i) for i in range(len(result.kinds))),
        caption=caption(result),
        auc_caption=_auc_caption(result),
        wrong=_wrong(result),
    )


def _heading(result: CorpusScan) -> str:
    target = plain(result.target)
    if telling.tells(result, "next"):
        return f"On news, its activation tells where “{target}” comes"
    if _rises(result):
        return f"On news, only its highest activations tell where “{target}” comes"
    if telling.tells(result, "which"):
        foil = plain(result.foil)
        return f"On news, its activation tells “{target}” from “{foil}”, not where they come"
    if telling.tells(result, "top"):
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


def _rises(result: CorpusScan) -> bool:
    _, tokens, hits = telling.end(result, result.bin_next, high=True)
    return share_interval(hits, tokens)[0] > result.next_count / result.known


def _curve(result: CorpusScan) -> Markup:
    start, tokens, hits = telling.end(result, result.bin_next, high=True)
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
        return told + say(" At its highest activations the word is likelier than elsewhere.")
    return told + say(" So a high activation does not foretell the word here.")


def _lowest(result: CorpusScan) -> Markup:
    """What follows where the neuron is turned the other way."""
    after = [a for a, kind in zip(result.after, result.kinds, strict=True) if kind == "lowest"]
    foils, first = after.count(result.foil), next(iter(after[::-1]), "")
    if not foils:
        return say(
            "None of its {} lowest activations stands before {}.", len(after), token(result.foil)
        )
    told = say(
        "A neuron has two ends, and this is the other: of its {} lowest activations {}{} before "
        "{} ({}), which follows {} of all tokens.",
        count(len(after)),
        plural(foils, "stands", "stand"),
        ", the lowest among them," if first == result.foil else "",
        token(result.foil),
        share_span(*share_interval(foils, len(after))),
        percent(result.foil_count / max(result.known, 1)),
    )
    if _before_foil(result):
        return told + say(" Turned the other way, the neuron goes with the other word.")
    return told


def _before_foil(result: CorpusScan) -> bool:
    """Whether the foil follows the lowest activations more often than it follows any token."""
    after = [a for a, kind in zip(result.after, result.kinds, strict=True) if kind == "lowest"]
    low, _ = share_interval(after.count(result.foil), max(len(after), 1))
    return low > result.foil_count / max(result.known, 1)


def finding(result: CorpusScan) -> Markup:
    """What a whole reading of news adds, in one sentence."""
    told = say(
        "On {} tokens of news its activation {} where {} comes (AUC {})",
        count(result.tokens),
        "tells" if telling.tells(result, "next") else "does not tell",
        token(result.target),
        telling.area(result, "next"),
    )
    if _before_foil(result):
        return told + say("; its lowest activations stand before {}.", token(result.foil))
    return told + say(".")


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


def caption(result: CorpusScan) -> Markup:
    """Whether the activation foretells the target, in one sentence."""
    return say(
        "On {} tokens of news, {} {} comes next.",
        count(result.tokens),
        f"the highest activations of {result.neurons[0]} foretell that"
        if _rises(result)
        else f"high activation of {result.neurons[0]} does not foretell that",
        token(result.target),
    )


def _auc_caption(result: CorpusScan) -> Markup:
    return say(
        "{}’s activation {} the places of {} in news; beside it the neurons that came next in "
        "the sweep.",
        result.neurons[0],
        "tells" if telling.tells(result, "next") else "does not tell",
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
