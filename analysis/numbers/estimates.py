"""A mean with its interval, where values come in groups that are not independent inside."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from analysis.numbers.statistics import ratio_interval


class Estimate(NamedTuple):
    """A mean and the ends of its 95 % bootstrap interval, not numbers where there is none."""

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
