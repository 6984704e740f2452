"""Intervals over a table of rows and columns that are both a sample: frames and words.

Values in one row are alike, and so are values in one column, so that cells are not independent.
Rows and columns are resampled apart from each other, columns within their groups (the pigeonhole
bootstrap; Owen, "The pigeonhole bootstrap", 2007). A resample is told by its weights: how often
each row and each column was drawn. The first of them draws each once: it is the table itself.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

RESAMPLES = 2000
"""Bootstrap samples, and shuffles of the labels."""


@dataclass(frozen=True)
class Weights:
    """How often every row and every column was drawn; the first draw takes each once."""

    rows: Float[np.ndarray, "draw row"]
    columns: Float[np.ndarray, "draw column"]


def resampled(
    rows: int, group: Int[np.ndarray, " column"], seed: int, draws: int = RESAMPLES
) -> Weights:
    """Weights of the table itself and of so many resamples, columns drawn within their groups."""
    rng = np.random.default_rng(seed)
    by_row = rng.multinomial(rows, np.full(rows, 1 / rows), draws).astype(float)
    by_column = np.ones((draws, len(group)))
    for each in np.unique(group):
        mine = np.flatnonzero(group == each)
        by_column[:, mine] = rng.multinomial(len(mine), np.full(len(mine), 1 / len(mine)), draws)
    return Weights(
        np.concatenate([np.ones((1, rows)), by_row]),
        np.concatenate([np.ones((1, len(group))), by_column]),
    )


def above(
    high: Float[np.ndarray, "*table row column"], low: Float[np.ndarray, "*table row other"]
) -> Float[np.ndarray, "*table row column other"]:
    """In each row, whether the value of a column is above that of another; ties count half."""
    ours, others = high[..., :, None], low[..., None, :]
    return (ours > others) + 0.5 * (ours == others)


def area(
    values: Float[np.ndarray, "*table row column"],
    positive: Bool[np.ndarray, " column"],
    stratum: Bool[np.ndarray, " column"],
    weights: Weights,
) -> Float[np.ndarray, " draw *table"]:
    """Chance that a positive column has the larger value than another, in the same row and stratum.

    The AUC, averaged over rows and strata; within a stratum nothing but the label differs.
    """
    found = []
    for each in np.unique(stratum):
        ours = np.flatnonzero(positive & (stratum == each))
        others = np.flatnonzero(~positive & (stratum == each))
        wins = above(values[..., ours], values[..., others])
        found.append(_average(wins, weights, ours, others))
    return np.asarray(np.mean(found, axis=0))


def area_between(
    high: Float[np.ndarray, "row column"], low: Float[np.ndarray, "row column"], weights: Weights
) -> Float[np.ndarray, " draw"]:
    """Chance that a value of one table is above one of another in the same row, any two columns."""
    every = np.arange(high.shape[-1])
    return _average(above(high, low), weights, every, every)


def _average(
    wins: Float[np.ndarray, "*table row column other"],
    weights: Weights,
    ours: Int[np.ndarray, " column"],
    others: Int[np.ndarray, " other"],
) -> Float[np.ndarray, " draw *table"]:
    """The weighted mean over rows and pairs of columns."""
    rows, left, right = weights.rows, weights.columns[:, ours], weights.columns[:, others]
    by_row = np.einsum("dr,...rij->d...ij", rows, wins, optimize=True)
    by_column = np.einsum("d...ij,di->d...j", by_row, left, optimize=True)
    total = np.einsum("d...j,dj->d...", by_column, right, optimize=True)
    sizes = rows.sum(1) * left.sum(1) * right.sum(1)
    return total / sizes.reshape(-1, *[1] * (total.ndim - 1))


def shuffled_area(
    values: Float[np.ndarray, "*table row column"],
    positive: Bool[np.ndarray, " column"],
    stratum: Bool[np.ndarray, " column"],
    seed: int,
    draws: int = RESAMPLES,
) -> Float[np.ndarray, " draw *table"]:
    """The same AUC with the columns' labels shuffled within strata: what chance makes of it."""
    rng, found = np.random.default_rng(seed), []
    for each in np.unique(stratum):
        mine = np.flatnonzero(stratum == each)
        wins = above(values[..., mine], values[..., mine]).mean(-3)
        dealt = rng.permuted(np.tile(positive[mine], (draws, 1)), axis=1).astype(float)
        total = np.einsum("di,...ij,dj->d...", dealt, wins, 1 - dealt, optimize=True)
        found.append(total / (positive[mine].sum() * (~positive[mine]).sum()))
    return np.asarray(np.mean(found, axis=0))


def middle(samples: Float[np.ndarray, " draw *table"]) -> Float[np.ndarray, "*table 2"]:
    """Where the middle 95 % of samples lie."""
    return np.moveaxis(np.quantile(samples, [0.025, 0.975], axis=0), 0, -1).astype(np.float32)


def mean(
    values: Float[np.ndarray, "*table row column"],
    chosen: Bool[np.ndarray, " column"],
    weights: Weights,
) -> Float[np.ndarray, " draw *table"]:
    """The mean over all rows and some columns."""
    rows, columns = weights.rows, weights.columns * chosen
    total = np.einsum("dr,...rc,dc->d...", rows, values, columns, optimize=True)
    sizes = rows.sum(1) * columns.sum(1)
    return np.asarray(total / sizes.reshape(-1, *[1] * (total.ndim - 1)))
