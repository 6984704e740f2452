"""How well one number tells the tokens of one kind from all others: AUC, precision, recall."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from analysis.numbers.estimates import Estimate, share_of_tokens

RESAMPLES = 1000
NOT_A_NUMBER = float("nan")


def auc(
    values: Float[np.ndarray, " item"],
    positive: Bool[np.ndarray, " item"],
    weights: Float[np.ndarray, " item"] | None = None,
) -> float:
    """Probability that a positive item's value is above a negative one's, ties counted half.

    The area under the ROC curve (Hanley and McNeil, 1982); not a number where one kind is absent.
    """
    return _Ranked(values, positive).auc(np.ones(len(values)) if weights is None else weights)


def auc_interval(
    values: Float[np.ndarray, " item"],
    positive: Bool[np.ndarray, " item"],
    document: Int[np.ndarray, " item"],
    seed: int,
) -> tuple[float, float]:
    """95 % bootstrap interval of the AUC over documents: tokens of one are not independent.

    Not numbers where a resample may lack one kind, and of one document, which does not vary.
    """
    return _middle(_resampled(values, positive, document, seed))


def auc_gain(
    values: Float[np.ndarray, " item"],
    than: Float[np.ndarray, " item"],
    positive: Bool[np.ndarray, " item"],
    document: Int[np.ndarray, " item"],
    seed: int,
    comparisons: int = 1,
) -> Estimate:
    """How much farther from a coin's 0.5 the AUC of some values lies than that of others.

    Either direction counts, that which the AUC of all items has. Both are resampled together, by
    documents: a paired bootstrap, which sees a difference that overlapping intervals hide, and
    none where they part by luck. Of several comparisons all intervals hold at once with 95 %
    (Bonferroni).
    """
    areas = np.array([auc(each, positive) for each in (values, than)])
    samples = np.array([_resampled(each, positive, document, seed) for each in (values, than)])
    sides = np.where(areas < 0.5, -1, 1)
    ours, others = sides[:, None] * (samples - 0.5)
    gain, other_gain = sides * (areas - 0.5)
    return Estimate(float(gain - other_gain), *_middle(ours - others, comparisons))


def _resampled(
    values: Float[np.ndarray, " item"],
    positive: Bool[np.ndarray, " item"],
    document: Int[np.ndarray, " item"],
    seed: int,
) -> Float[np.ndarray, " sample"]:
    """The AUC of resampled documents, the same ones whatever the values; none of one document."""
    names, index = np.unique(document, return_inverse=True)
    if len(names) < 2:
        return np.full(1, NOT_A_NUMBER)
    ranked = _Ranked(values, positive)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    return np.array([ranked.auc(counts[index].astype(float)) for counts in drawn])


def _middle(samples: Float[np.ndarray, " sample"], comparisons: int = 1) -> tuple[float, float]:
    """The middle 95 % of resampled statistics; not numbers where one of them is none."""
    tail = 0.025 / comparisons
    low, high = np.quantile(samples, [tail, 1 - tail])
    return float(low), float(high)


class _Ranked:
    """Items in the order of their values, sorted once for many weights."""

    def __init__(self, values: np.ndarray, positive: np.ndarray) -> None:
        self.order = np.argsort(values, kind="stable")
        ordered = values[self.order]
        self.positive = positive[self.order]
        self.groups = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))

    def auc(self, weights: np.ndarray) -> float:
        if not len(self.order):
            return NOT_A_NUMBER
        weights = weights[self.order]
        ones = np.add.reduceat(weights * self.positive, self.groups)
        zeros = np.add.reduceat(weights * ~self.positive, self.groups)
        if not ones.sum() * zeros.sum():
            return NOT_A_NUMBER
        below = np.cumsum(zeros) - zeros / 2
        return float((ones * below).sum() / (ones.sum() * zeros.sum()))


@dataclass(frozen=True)
class Detector:
    """A threshold on one number, chosen on one half of the documents and judged on the other.

    Attributes:
        direction: 1 if high values count as a detection, -1 if low ones do.
        threshold: values beyond it count; not a number where there was nothing to choose by.
        detected: how many items were detected.
        positives: how many items are positive.
        hits: how many are both.
        precision: share of positives among the detected, with the ends of its interval; not
            numbers where nothing was positive.
        recall: share of detected among the positives, with the ends of its interval.
    """

    direction: int
    threshold: float
    detected: int
    positives: int
    hits: int
    precision: tuple[float, float, float]
    recall: tuple[float, float, float]


def detector(
    values: Float[np.ndarray, " item"],
    positive: Bool[np.ndarray, " item"],
    document: Int[np.ndarray, " item"],
    direction: int = 0,
) -> Detector:
    """Choose direction and threshold on every second document and judge them on the others.

    The direction is that of the larger AUC unless one is given, the threshold that of the largest
    F1 score. Intervals are over the judged documents: of fewer than four documents, which leave at
    most one to judge on, there is none.
    """
    number = np.unique(document, return_inverse=True)[1]
    chosen_on, judged_on = number % 2 == 0, number % 2 == 1
    if not direction:
        direction = -1 if auc(values[chosen_on], positive[chosen_on]) < 0.5 else 1
    threshold = best_threshold(direction * values[chosen_on], positive[chosen_on])
    detected = direction * values[judged_on] >= threshold
    truth, where = positive[judged_on], number[judged_on]

    def share(part: np.ndarray, of: np.ndarray) -> tuple[float, float, float]:
        return share_of_tokens(*(np.bincount(where, mask) for mask in (part, of)))

    return Detector(
        direction=direction,
        threshold=float(direction * threshold),
        detected=int(detected.sum()),
        positives=int(truth.sum()),
        hits=int((detected & truth).sum()),
        precision=share(detected & truth, detected) if truth.any() else (NOT_A_NUMBER,) * 3,
        recall=share(detected & truth, truth),
    )


def best_threshold(
    values: Float[np.ndarray, " item"], positive: Bool[np.ndarray, " item"]
) -> float:
    """The threshold of largest F1, midway between the value it admits and the next one below.

    Not a number where nothing is positive. F1 is the harmonic mean of precision and recall: twice
    the hits over alarms plus occurrences (van Rijsbergen, "Information Retrieval", 1979).
    """
    if not positive.any():
        return NOT_A_NUMBER
    order = np.argsort(-values, kind="stable")
    ranked, hits = values[order], positive[order].cumsum()
    f1 = 2 * hits / (np.arange(1, len(values) + 1) + hits[-1])
    last_of_equals = np.append(ranked[1:] != ranked[:-1], True)
    best = int(np.where(last_of_equals, f1, -1.0).argmax())
    return float(ranked[best : best + 2].mean())
