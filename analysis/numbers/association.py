"""How one number follows another: slope and correlation, with their doubt."""

import numpy as np
from jaxtyping import Float

from analysis.numbers.estimates import Estimate
from analysis.numbers.statistics import RESAMPLES

FEWEST = 6
"""Any two points lie on a line, and resamples of fewer than six often hold no more than two."""


def slope_and_correlation(
    x: Float[np.ndarray, " item"], y: Float[np.ndarray, " item"], seed: int = 0
) -> tuple[Estimate, Estimate]:
    """Least-squares slope of ``y`` on ``x`` and their correlation, each with its 95 % interval.

    A percentile bootstrap over items, values kept in pairs (Efron and Tibshirani, 1993). Where one
    of the two does not vary, or of fewer than six items, there is neither number.
    """
    if len(x) < FEWEST:
        nothing = Estimate(np.nan, np.nan, np.nan)
        return nothing, nothing
    rows = np.random.default_rng(seed).integers(0, len(x), (RESAMPLES, len(x)))
    rows = np.concatenate([np.arange(len(x))[None], rows])
    found = _slope_and_correlation(x.astype(float)[rows], y.astype(float)[rows])
    slope, correlation = (_estimate(values) for values in found)
    return slope, correlation


def _slope_and_correlation(
    x: Float[np.ndarray, "sample item"], y: Float[np.ndarray, "sample item"]
) -> Float[np.ndarray, "2 sample"]:
    x, y = (v - v.mean(1, keepdims=True) for v in (x, y))
    xx, yy, xy = (x * x).mean(1), (y * y).mean(1), (x * y).mean(1)
    none = (xx <= 0) | (yy <= 0)
    xx, yy = np.where(none, np.nan, xx), np.where(none, np.nan, yy)
    return np.stack([xy / xx, xy / np.sqrt(xx * yy)])


def _estimate(values: Float[np.ndarray, " sample"]) -> Estimate:
    """The first value, with the middle 95 % of the others; a resample without it is left out."""
    if np.isnan(values[0]):
        return Estimate(np.nan, np.nan, np.nan)
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return Estimate(float(values[0]), float(low), float(high))
