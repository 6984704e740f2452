"""Whether a neuron's activation on news tells where the target comes, and what excites it there."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from analysis.criteria import PLENTY, POOLED
from analysis.experiments.corpus_scan.compute import BIN, LABELS, CorpusScan
from analysis.numbers.statistics import share_interval

Span = tuple[float, float]
TOP, NEXT, WHICH = range(len(LABELS))


@dataclass(frozen=True)
class Area:
    """An AUC."""

    value: float  # the chance that the activation is higher on a token of the one kind
    interval: Span | None  # None where there are too few places for one
    tells: bool  # whether the interval leaves a coin on one side, in either direction


@dataclass(frozen=True)
class Share:
    """Tokens that a word follows, among some of all."""

    hits: int  # how many, among how many
    tokens: int
    value: float  # their share
    interval: Span
    rate: float  # the share of all tokens
    exceeds: bool  # whether the former is larger, beyond doubt


@dataclass(frozen=True)
class Rival:
    """The other neuron whose activation tells the target's places best, in either direction.

    ``better`` says whether it does so better than the asked neuron, beyond doubt, and ``worse``
    whether all others do so worse.
    """

    neuron: str
    area: Area
    better: bool
    worse: bool


@dataclass(frozen=True)
class Detector:
    """The threshold that is best on half of the articles, judged on the other half."""

    threshold: float  # activation from which on the target is expected
    high: bool  # whether that is at least so much, or at most
    detected: int  # tokens marked, places of the target, and both
    positives: int
    hits: int
    recall: float  # hits among the positives
    recall_interval: Span
    precision: float  # hits among the detected
    precision_interval: Span


@dataclass(frozen=True)
class Example:
    """A token of an article in its context: ``highest``, ``lowest``, or at which quantile."""

    kind: str
    value: float
    before: str
    token: str
    after: str


@dataclass(frozen=True)
class Facts:
    """What the articles show."""

    top: Area  # AUC for tokens after which the target is the model's first choice
    next: Area  # AUC for tokens that the target really follows
    which: Area  # that again, among tokens that target or foil follows
    edge: float  # activation from which on a token counts among the highest
    highest: Share  # of those, the ones that the target follows
    lowest: Share  # of the lowest examples, the ones that the foil follows
    very_lowest: bool  # whether it follows the very lowest
    either_high: Share  # at either end, the tokens that one of the two words follows
    either_low: Share
    rival: Rival | None  # None where there is no other neuron
    detector: Detector | None  # None where the sample holds too few places
    examples: tuple[Example, ...]  # highest activation first
    plenty: bool  # whether the target comes often enough for narrow intervals
    bin: float = BIN  # width of the bins


def facts(result: CorpusScan, _sign: int | None = None) -> Facts:
    """Read them off. Activation of either sign may tell, so that of its use does not matter."""
    either = result.bin_next[0] + result.bin_foil[0]
    after = [a for a, kind in zip(result.after, result.kinds, strict=True) if kind == "lowest"]
    columns = result.kinds, result.values.tolist(), result.before, result.token, result.after
    return Facts(
        top=_area(result.auc[0, TOP]),
        next=_area(result.auc[0, NEXT]),
        which=_area(result.auc[0, WHICH]),
        edge=float(result.bin_start[-_pooled(result, -1)]),
        highest=_at_end(result, result.bin_next[0], -1),
        lowest=_share(result, after.count(result.foil), len(after), result.foil_count),
        very_lowest=after[-1:] == [result.foil],
        either_high=_at_end(result, either, -1),
        either_low=_at_end(result, either, 1),
        rival=_rival(result),
        detector=_detector(result),
        examples=tuple(Example(*row) for row in zip(*columns, strict=True)),
        plenty=result.next_count >= PLENTY,
    )


def _area(values: Float[np.ndarray, " 3"]) -> Area:
    value, low, high = map(float, values)
    interval = (low, high) if math.isfinite(low) else None
    return Area(value, interval, tells=low > 0.5 or high < 0.5)


def _share(result: CorpusScan, hits: int, tokens: int, of_all: int) -> Share:
    interval, rate = share_interval(hits, max(tokens, 1)), of_all / max(result.known, 1)
    return Share(hits, tokens, hits / max(tokens, 1), interval, rate, interval[0] > rate)


def _pooled(result: CorpusScan, step: int) -> int:
    """How many bins are pooled at the lower (1) or upper (-1) end."""
    tokens = np.cumsum(result.bin_known[0][::step])
    return min(int(np.searchsorted(tokens, POOLED)) + 1, len(tokens))


def _at_end(result: CorpusScan, hits: Int[np.ndarray, " bin"], step: int) -> Share:
    bins = _pooled(result, step)
    found, tokens = (int(counts[::step][:bins].sum()) for counts in (hits, result.bin_known[0]))
    return _share(result, found, tokens, int(hits.sum()))


def _rival(result: CorpusScan) -> Rival | None:
    areas = np.abs(result.auc[1:, NEXT, 0] - 0.5)
    if not np.isfinite(areas).any():
        return None
    best = 1 + int(np.nanargmax(areas))
    distances = [_distance(row) for row in result.auc[:, NEXT]]
    return Rival(
        neuron=result.neurons[best],
        area=_area(result.auc[best, NEXT]),
        better=distances[best][0] > distances[0][1],
        worse=all(distances[0][0] > most for _, most in distances[1:]),
    )


def _distance(area: Float[np.ndarray, " 3"]) -> Span:
    """How far from a coin's an AUC is, in either direction: least and most by its interval."""
    _, low, high = (float(value) - 0.5 for value in area)
    return max(low, -high, 0.0), max(high, -low)


def _detector(result: CorpusScan) -> Detector | None:
    threshold = float(result.threshold[0, NEXT])
    detected, positives, hits = result.counts[0, NEXT].tolist()
    if not math.isfinite(threshold) or not positives:
        return None
    recall, *recall_ends = result.recall[0, NEXT].tolist()
    precision, *precision_ends = result.precision[0, NEXT].tolist()
    return Detector(
        threshold=threshold,
        high=bool(result.direction[0, NEXT] > 0),
        detected=detected,
        positives=positives,
        hits=hits,
        recall=recall,
        recall_interval=(recall_ends[0], recall_ends[1]),
        precision=precision,
        precision_interval=(precision_ends[0], precision_ends[1]),
    )
