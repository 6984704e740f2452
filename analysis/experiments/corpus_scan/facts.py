"""Whether a neuron's activation on news tells where the target comes, and what excites it there."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from analysis.criteria import DOCUMENTS, FOLLOWS_FACTOR, MOST, ONE_WAY, PLENTY
from analysis.experiments.corpus_scan.compute import CorpusScan
from analysis.experiments.corpus_scan.followed import EDGES, LABELS, WORDS
from analysis.experiments.corpus_scan.quadrants import SIGNS
from analysis.grounds import Ground, Unit
from analysis.intervals import Auc, Interval, Share, auc
from analysis.numbers.estimates import Estimate
from analysis.token_sets import members

TOP, NEXT, WHICH = range(len(LABELS))
TARGET, FOIL = range(len(WORDS))

WITHIN = 2
"""An end holds its share of the tokens within this factor, or is none: too many are equal."""


@dataclass(frozen=True)
class Area:
    """An AUC; intervals are over articles."""

    auc: Auc  # the chance that the value is higher on a token of the one kind
    enough: bool  # whether the word's places stand in enough articles to say anything
    tells: bool  # whether the interval leaves a coin on one side, in either direction
    reversed: bool  # whether that is the side against which the neuron is used
    does_not: bool  # whether it leaves a coin's and nothing that is far from it, either way

    @property
    def low(self) -> bool:
        """Whether it is low values that tell."""
        return self.tells and self.auc.mean < 0.5

    @property
    def downwards(self) -> bool:
        """Whether low values tell, as the neuron is used."""
        return self.low and not self.reversed

    @property
    def as_used(self) -> Auc:
        """The AUC read in the direction in which the neuron is used."""
        return auc(self.auc.mean, np.array(self.auc.span), -1 if self.downwards else 1)

    @property
    def serves(self) -> bool:
        """Whether it tells as the prompts would have it, and more than a little."""
        far = abs(self.auc.mean - 0.5) >= FOLLOWS_FACTOR - 0.5
        return self.tells and far and not self.reversed

    @property
    def hardly(self) -> bool:
        """Whether it tells, but little: surely nearer to a coin than to perfect order."""
        return self.tells and self.auc.low > 1 - FOLLOWS_FACTOR and self.auc.high < FOLLOWS_FACTOR

    @property
    def open(self) -> bool:
        """Whether it tells, and may do so little or well."""
        return self.tells and not self.hardly and abs(self.auc.mean - 0.5) < FOLLOWS_FACTOR - 0.5


@dataclass(frozen=True)
class Follows:
    """Tokens of an end that a word follows."""

    hits: int  # how many, and in how many articles
    documents: int
    share: Estimate  # of the end's tokens
    rate: float  # share of all other tokens
    exceeds: bool  # whether the former is larger beyond doubt, with hits in enough articles


@dataclass(frozen=True)
class End:
    """The hundredth of all tokens on which the activation is highest, or lowest."""

    highest: bool  # which of the two
    edge: float  # activation at which it begins
    tokens: int  # how many there are
    apart: bool  # whether about a hundredth lies there: where many are equal, none may, or all
    target: Follows  # what comes next there
    foil: Follows


@dataclass(frozen=True)
class Extreme:
    """The few tokens on which the activation is highest of all, or lowest.

    Those of one article are alike, so each article counts once, by the token farthest out.
    """

    highest: bool  # which of the two
    tokens: int  # how many there are, and how many of them either word follows
    target: int
    foil: int
    target_in: Share  # articles in which the target follows, among those in which they stand
    foil_in: Share

    @property
    def says(self) -> bool:
        """Whether the target follows in most such articles, beyond doubt."""
        return self.target_in.interval[0] > MOST

    @property
    def says_foil(self) -> bool:
        """Whether the foil does."""
        return self.foil_in.interval[0] > MOST


@dataclass(frozen=True)
class Rival:
    """The other neuron whose activation tells the target's places best, in either direction."""

    neuron: str
    area: Area
    others: int  # how many other neurons there are
    gain: Interval  # how much farther from a coin's its AUC lies; of all others at once
    better: bool  # whether it tells better beyond doubt
    worse: bool  # whether all others tell worse beyond doubt


@dataclass(frozen=True)
class Detector:
    """The threshold that is best on half of the articles, judged on the other half."""

    threshold: float  # activation from which on the target is expected
    high: bool  # whether that is at least so much, or at most
    detected: int  # tokens marked, places of the target, and both
    positives: int
    hits: int
    recall: Estimate  # hits among the positives
    precision: Estimate  # hits among the detected


@dataclass(frozen=True)
class EndQuadrant:
    """The quadrant in which most tokens of an end lie."""

    gate: bool
    up: bool
    share: float  # of the end's tokens
    clear: bool  # whether nearly all do


@dataclass(frozen=True)
class Facts:
    """What the articles show."""

    top: Area  # AUC for tokens after which the target is the model's first choice
    next: Area  # AUC for tokens that the target really follows
    which: Area  # that again, among tokens that target or foil follows
    model_next: Area  # the AUC of the model's own probability of the target
    model_which: Area  # the AUC of its logit difference
    used: End  # the end of activation with which the neuron is used
    unused: End  # the other one
    used_extreme: Extreme | None  # its outermost tokens; None where none was kept
    unused_extreme: Extreme | None
    marks_target: bool  # whether the target, and not the foil, is likelier at the used end
    rival: Rival | None  # None where there is no other neuron
    detector: Detector | None  # None where the sample holds too few places
    target_documents: int  # in how many articles the target comes
    top_documents: int  # in how many the model puts it first
    plenty: bool  # whether the target comes often enough for narrow intervals
    used_in: EndQuadrant | None  # where the used end lies; None if gate and up were not read apart
    unused_in: EndQuadrant | None
    end: float = EDGES[0]  # share of all tokens that is an end


def facts(result: CorpusScan, sign: int | None = None) -> Facts:
    """Read them off, with the sign with which the neuron is used; by default its detector's."""
    if sign is None:
        sign = int(result.direction[0, NEXT])
    lowest, highest = _end(result, 0), _end(result, -1)
    used, unused = (lowest, highest) if sign == -1 else (highest, lowest)
    return Facts(
        top=_area(result, result.auc[0], TOP, sign),
        next=_area(result, result.auc[0], NEXT, sign),
        which=_area(result, result.auc[0], WHICH, sign),
        model_next=_area(result, result.model_auc, NEXT),
        model_which=_area(result, result.model_auc, WHICH),
        used=used,
        unused=unused,
        used_extreme=_extreme(result, used.highest),
        unused_extreme=_extreme(result, unused.highest),
        marks_target=used.target.exceeds and not used.foil.exceeds,
        rival=_rival(result),
        detector=_detector(result),
        target_documents=int(result.label_documents[NEXT]),
        top_documents=int(result.label_documents[TOP]),
        plenty=result.next_count >= PLENTY,
        used_in=_end_quadrant(result, used),
        unused_in=_end_quadrant(result, unused),
    )


def grounds(found: Facts, result: CorpusScan) -> Iterator[Ground]:
    """Articles are the sample: tokens of one are not independent."""
    articles: dict[Unit, int] = {"article": result.documents}
    if result.documents < 2:
        return
    yield Ground("ends", articles, "bootstrap", result.end_excess[..., 0].size)
    for name, extreme in (("used", found.used_extreme), ("unused", found.unused_extreme)):
        if extreme:
            yield Ground(f"{name}_extreme", {"article": extreme.target_in.of}, "wilson")
    if found.next.enough and found.next.auc.bounded:
        yield Ground("next", articles, "bootstrap")
    if found.which.enough and found.which.auc.bounded:
        yield Ground("which", articles, "bootstrap")
    if found.rival:
        yield Ground("rivals", articles, "bootstrap", found.rival.others)
    if found.detector:
        judged: dict[Unit, int] = {"article": result.documents // 2}
        yield Ground("detector", judged, "wilson_of_texts")


def often_enough(result: CorpusScan) -> tuple[str, ...]:
    """Labels of which an AUC says anything: those whose positives stand in enough articles."""
    rows = zip(result.labels, result.label_documents, strict=True)
    return tuple(label for label, documents in rows if documents >= DOCUMENTS)


def _area(
    result: CorpusScan, areas: Float[np.ndarray, "label 3"], label: int, sign: int = 0
) -> Area:
    """With the sign with which the neuron is used; 0 where no side is the wrong one."""
    area = Auc.of(areas[label])
    enough = result.labels[label] in often_enough(result)
    tells = enough and (area.tells or area.reversed)
    near = enough and area.low > 1 - FOLLOWS_FACTOR and area.high < FOLLOWS_FACTOR
    wrong = tells and sign * (area.mean - 0.5) < 0
    return Area(area, enough, tells, wrong, does_not=near and not tells)


def _end(result: CorpusScan, band: int) -> End:
    """The lowest band (0) or the highest (-1)."""
    edge, tokens = float(result.band_edges[-2 if band else 1]), int(result.band_tokens[band])
    share = EDGES[0] * result.known
    apart = tokens > 0 and share / WITHIN - 1 <= tokens <= share * WITHIN + 1
    target, foil = (_follows(result, word, band, apart) for word in (TARGET, FOIL))
    return End(bool(band), edge, tokens, apart, target, foil)


def _follows(result: CorpusScan, word: int, band: int, apart: bool) -> Follows:
    share = Estimate(*result.band_share[word, band].tolist())
    excess, least, _ = result.end_excess[word, band].tolist()
    documents = int(result.band_documents[word, band])
    return Follows(
        hits=int(result.band_hits[word, band]),
        documents=documents,
        share=share,
        rate=share.mean - excess,
        exceeds=apart and documents >= DOCUMENTS and least > 0,
    )


def _extreme(result: CorpusScan, highest: bool) -> Extreme | None:
    """Of the examples that were kept, those of this end."""
    kind = "highest" if highest else "lowest"
    places = [place for place, each in enumerate(result.kinds) if each == kind]
    if not places:
        return None
    places.sort(key=lambda place: result.values[place], reverse=highest)
    farthest: dict[int, int] = {}
    for place in places:
        farthest.setdefault(result.articles[place], place)

    def follows(word: str, among: Collection[int]) -> int:
        return sum(result.after[place] in members(word) for place in among)

    def share(word: str) -> Share:
        return Share.counted(follows(word, farthest.values()), len(farthest))

    target, foil = result.target, result.foil
    counts = (follows(target, places), follows(foil, places))
    return Extreme(highest, len(places), *counts, share(target), share(foil))


def _end_quadrant(result: CorpusScan, end: End) -> EndQuadrant | None:
    counts = result.quadrant_ends[int(end.highest)]
    if not counts.sum():
        return None
    most = int(counts.argmax())
    share = float(counts[most] / counts.sum())
    return EndQuadrant(*SIGNS[most], share, share >= ONE_WAY)


def _rival(result: CorpusScan) -> Rival | None:
    gains = result.rival_gain
    if not np.isfinite(gains[:, 0]).any():
        return None
    best = int(np.nanargmax(gains[:, 0]))
    gain = Interval.of(gains[best])
    area = _area(result, result.auc[1 + best], NEXT)
    return Rival(
        neuron=result.neurons[1 + best],
        area=area,
        others=len(gains),
        gain=gain,
        better=area.enough and gain.positive,
        worse=area.enough and bool((gains[:, 2] < 0).all()),
    )


def _detector(result: CorpusScan) -> Detector | None:
    threshold = float(result.threshold[0, NEXT])
    detected, positives, hits = result.counts[0, NEXT].tolist()
    if not math.isfinite(threshold) or not positives:
        return None
    return Detector(
        threshold=threshold,
        high=bool(result.direction[0, NEXT] > 0),
        detected=detected,
        positives=positives,
        hits=hits,
        recall=Estimate(*result.recall[0, NEXT].tolist()),
        precision=Estimate(*result.precision[0, NEXT].tolist()),
    )
