"""A mean with its interval, where values come in groups that are not independent inside."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Real

from analysis.numbers.statistics import RESAMPLES, TAIL, for_few, ratio_interval, share_interval


class Estimate(NamedTuple):
    """A mean or share and the ends of its 95 % interval, not numbers where there is none."""

    mean: float
    low: float
    high: float


def ratio(
    part: Float[np.ndarray, " sample"], total: Float[np.ndarray, " sample"], seed: int = 0
) -> Estimate:
    """``sum(part) / sum(total)`` with its interval; not a number where the totals sum to zero."""
    total_sum = float(total.sum()) or float("nan")
    return Estimate(float(part.sum()) / total_sum, *ratio_interval(part, total, seed))


def mean_of_groups(
    values: Float[np.ndarray, " sample"], group: Int[np.ndarray, " sample"]
) -> Estimate:
    """Mean of all values; whole groups are resampled. One group alone gives no interval."""
    if not len(values):
        return Estimate(np.nan, np.nan, np.nan)
    _, place = np.unique(group, return_inverse=True)
    sums, sizes = np.bincount(place, values), np.bincount(place).astype(float)
    return Estimate(float(values.mean()), *ratio_interval(sums, sizes, seed=0))


def share_of_tokens(
    hits: Real[np.ndarray, " document"], tokens: Real[np.ndarray, " document"]
) -> Estimate:
    """Share of tokens that are hits, with an interval that knows that documents are the sample.

    Wilson's interval of the effective sample size: that of independent tokens which would make the
    share vary as much as it does over documents (Korn and Graubard, 1998; Dean and Pagano, 2015).
    It covers rare hits, where a percentile bootstrap over documents misses the truth more often
    than not. Where hits do not vary, none or all, a document counts as one observation. One
    document alone gives no interval.
    """
    documents, total = int((tokens > 0).sum()), int(tokens.sum())
    if documents < 2:
        return Estimate(float(hits.sum()) / total if total else np.nan, np.nan, np.nan)
    share = float(hits.sum()) / total
    off = hits - share * tokens
    variance = documents / (documents - 1) * float(off @ off) / total**2
    size = min(share * (1 - share) / variance, total) if variance else documents
    return Estimate(share, *share_interval(share * size, size))


def share_excess(
    hits: Real[np.ndarray, " document"],
    tokens: Real[np.ndarray, " document"],
    other_hits: Real[np.ndarray, " document"],
    other_tokens: Real[np.ndarray, " document"],
    seed: int,
    comparisons: int = 1,
) -> Estimate:
    """Share of hits among some tokens, less that among the others of the same documents.

    A bootstrap over documents, both shares of the same resampled ones, ``for_few``; of several
    comparisons all intervals hold at once with 95 % (Bonferroni). No interval where a resample may
    hold no token of one kind.
    """
    documents = len(tokens)
    once = np.ones((1, documents))
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(documents, once[0] / documents, RESAMPLES) if documents else once
    with np.errstate(invalid="ignore"):
        found, *samples = np.concatenate(
            [
                (w @ hits) / (w @ tokens) - (w @ other_hits) / (w @ other_tokens)
                for w in (once, drawn)
            ]
        )
    if documents < 2:
        return Estimate(float(found), np.nan, np.nan)
    tail = TAIL / comparisons
    ends = np.quantile(samples, [tail, 1 - tail])
    return Estimate(float(found), *for_few(float(found), ends, documents, tail))
