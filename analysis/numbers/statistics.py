"""Intervals for estimates over prompts and tokens."""

import numpy as np
from jaxtyping import Float

RESAMPLES = 4000


def ratio_interval(
    numerators: Float[np.ndarray, " sample"],
    denominators: Float[np.ndarray, " sample"],
    seed: int,
    comparisons: int = 1,
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a ratio of sums, samples kept in pairs.

    Of several comparisons all intervals hold at once with 95 % (Bonferroni).

    Unlike a mean of ratios it is not upset by one sample with a small denominator (Efron and
    Tibshirani, "An Introduction to the Bootstrap", 1993). There is no interval, two NaNs, where
    resampled denominators lie on both sides of zero, or where there is but one sample, which
    resampling cannot vary. Of a few samples the interval is too narrow: of two, it is their span.
    """
    if len(numerators) < 2:
        return float("nan"), float("nan")
    rows = np.random.default_rng(seed).integers(0, len(numerators), (RESAMPLES, len(numerators)))
    resampled = denominators[rows].sum(1)
    if resampled.min() <= 0 <= resampled.max():
        return float("nan"), float("nan")
    ratios = numerators[rows].sum(1) / resampled
    tail = 0.025 / comparisons
    low, high = np.quantile(ratios, [tail, 1 - tail])
    return float(low), float(high)


def share_interval(successes: float, trials: float) -> tuple[float, float]:
    """95 % Wilson interval of a share of independent trials, honest at zero (Wilson, 1927)."""
    z2 = 1.959964**2
    share = successes / trials
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = np.sqrt(z2 * (share * (1 - share) + z2 / (4 * trials)) / trials) / (1 + z2 / trials)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))
