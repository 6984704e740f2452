"""Intervals for estimates over prompts and tokens."""

from functools import cache
from statistics import NormalDist

import numpy as np
from jaxtyping import Float

RESAMPLES = 4000

TAIL = 0.025
"""What lies beyond either end of a 95 % interval."""


def ratio_interval(
    numerators: Float[np.ndarray, " sample"],
    denominators: Float[np.ndarray, " sample"],
    seed: int,
    comparisons: int = 1,
) -> tuple[float, float]:
    """95 % bootstrap interval of a ratio of sums, samples kept in pairs, wide enough for few.

    Of several comparisons all intervals hold at once with 95 % (Bonferroni).

    Unlike a mean of ratios it is not upset by one sample with a small denominator (Efron and
    Tibshirani, "An Introduction to the Bootstrap", 1993). There is no interval, two NaNs, where
    resampled denominators lie on both sides of zero, or where there is but one sample, which
    resampling cannot vary. Percentiles of resamples, ``for_few``.
    """
    if len(numerators) < 2:
        return float("nan"), float("nan")
    rows = np.random.default_rng(seed).integers(0, len(numerators), (RESAMPLES, len(numerators)))
    resampled = denominators[rows].sum(1)
    if resampled.min() <= 0 <= resampled.max():
        return float("nan"), float("nan")
    ratios = numerators[rows].sum(1) / resampled
    tail = TAIL / comparisons
    ends = np.quantile(ratios, [tail, 1 - tail])
    found = float(numerators.sum() / denominators.sum())
    return for_few(found, ends, len(numerators), tail)


def for_few(
    found: float, ends: Float[np.ndarray, "2"], samples: int, tail: float = TAIL
) -> tuple[float, float]:
    """The ends of a percentile bootstrap interval, as far from the estimate as so few demand.

    Of normal samples the percentiles are too near by a factor of sqrt((n - 1) / n) z / t: of 20 by
    a twelfth, of five by more than a third, of two by nine tenths (Hesterberg, "What Teachers
    Should Know About the Bootstrap", 2015; he takes further percentiles, which five have not).

    Args:
        found: the estimate.
        ends: the percentiles, ``tail`` and 1 - ``tail``.
        samples: how many were drawn again, two or more.
        tail: what lies beyond either end.
    """
    normal = NormalDist().inv_cdf(1 - tail)
    factor = np.sqrt(samples / (samples - 1)) * _student(tail, samples - 1) / normal
    low, high = found + factor * (ends - found)
    return float(low), float(high)


@cache
def _student(tail: float, freedom: int) -> float:
    """What Student's t exceeds with a chance of ``tail``.

    It is the square root of ``freedom`` times the tangent of an angle whose density goes with the
    cosine to the power of ``freedom`` - 1.
    """
    angle = np.linspace(0, np.pi / 2, 200_001)
    density = np.cos(angle) ** (freedom - 1)
    below = np.concatenate([[0], np.cumsum(density[1:] + density[:-1])])
    return float(np.sqrt(freedom) * np.tan(np.interp(1 - 2 * tail, below / below[-1], angle)))


def share_interval(successes: float, trials: float) -> tuple[float, float]:
    """95 % Wilson interval of a share of independent trials, honest at zero (Wilson, 1927)."""
    z2 = 1.959964**2
    share = successes / trials
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = np.sqrt(z2 * (share * (1 - share) + z2 / (4 * trials)) / trials) / (1 + z2 / trials)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))
