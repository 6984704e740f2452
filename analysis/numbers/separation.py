"""How well a number tells two groups of words apart, with its doubt and against chance.

A measurement has a row per sentence and a column per word. Words are what is resampled and what
is shuffled, the same ones in every row, since rows share their words.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

RESAMPLES = 2000
"""Bootstrap samples, and shuffles of the labels."""

Statistic = Callable[
    [Float[np.ndarray, "*row target"], Float[np.ndarray, "*row foil"]],
    Float[np.ndarray, "*row"],
]


def auc(
    target: Float[np.ndarray, "*row target"], foil: Float[np.ndarray, "*row foil"]
) -> Float[np.ndarray, "*row"]:
    """Chance that a word of the target group has the larger value than one of the foil group.

    The area under the ROC curve, counted pair by pair (Mann and Whitney, 1947): 1 where every value
    of the target group is larger, 0 where every one is smaller, 0.5 by chance; ties count half.
    """
    ours, others = target[..., :, None], foil[..., None, :]
    above = (ours > others) + 0.5 * (ours == others)
    return np.asarray(above.mean((-2, -1)), dtype=np.float32)


def word_interval(
    target: Float[np.ndarray, "row target"],
    foil: Float[np.ndarray, "row foil"],
    statistic: Statistic,
    seed: int,
) -> Float[np.ndarray, "*row 2"]:
    """95 % percentile bootstrap interval of a statistic, words resampled within their groups.

    The same resampled words serve every row, so that the statistic may average over rows. Where a
    statistic is at its bound on every resample, as the AUC of groups that do not overlap is, the
    interval has no width and understates the doubt (Efron and Tibshirani, 1993). A group of one
    word says nothing of others: NaNs.
    """
    if min(target.shape[1], foil.shape[1]) < 2:
        return np.full((*statistic(target[None], foil[None]).shape[1:], 2), np.nan, np.float32)
    draw = np.random.default_rng(seed)
    samples = statistic(_again(draw, target), _again(draw, foil))
    return np.moveaxis(np.quantile(samples, [0.025, 0.975], axis=0), 0, -1).astype(np.float32)


def _again(
    draw: np.random.Generator, group: Float[np.ndarray, "row word"]
) -> Float[np.ndarray, "sample row word"]:
    size = group.shape[1]
    return np.moveaxis(group[:, draw.integers(0, size, (RESAMPLES, size))], 1, 0)


def shuffled(
    target: Float[np.ndarray, "row target"],
    foil: Float[np.ndarray, "row foil"],
    statistic: Statistic,
    seed: int,
) -> Float[np.ndarray, " shuffle *row"]:
    """The statistic with the words' labels shuffled: what chance makes of it.

    The same shuffled labels serve every row (a permutation test; Fisher, 1935).
    """
    draw = np.random.default_rng(seed)
    everyone, size = np.concatenate([target, foil], 1), target.shape[1]
    orders = draw.permuted(np.tile(np.arange(everyone.shape[1]), (RESAMPLES, 1)), axis=1)
    samples = np.moveaxis(everyone[:, orders], 1, 0)
    return statistic(samples[..., :size], samples[..., size:])


def chance(
    found: Float[np.ndarray, "*row"], by_chance: Float[np.ndarray, " shuffle *row"]
) -> Float[np.ndarray, "*row"]:
    """Two-sided p value of an AUC: how often shuffled labels part the groups as far."""
    as_far = np.abs(by_chance - 0.5) >= np.abs(found - 0.5) - 1e-6
    return ((1 + as_far.sum(0)) / (1 + len(by_chance))).astype(np.float32)


def group_means(
    target: Float[np.ndarray, "*row target"], foil: Float[np.ndarray, "*row foil"]
) -> Float[np.ndarray, "*row 2"]:
    """Mean of either group."""
    return np.stack([target.mean(-1), foil.mean(-1)], -1)


def auc_differences(
    target: Float[np.ndarray, "row target"],
    foil: Float[np.ndarray, "row foil"],
    seed: int,
) -> tuple[Float[np.ndarray, " other"], Float[np.ndarray, "other 2"]]:
    """How much better the first row tells the groups apart than each other row, with intervals.

    Every row is read in the direction in which it tells them apart. All rows see the same resampled
    words, so that what is hard about a word is hard for both (a paired bootstrap). The intervals
    hold together: with 95 % confidence none of them misses (the largest of the differences, each
    over its standard error, sets the width for all; Romano and Wolf, 2005). One word of a kind, or
    no other row: NaNs.
    """
    found = auc(target, foil)
    signs = np.where(found >= 0.5, 1.0, -1.0)
    differences = signs[0] * (found[0] - 0.5) - signs[1:] * (found[1:] - 0.5)
    if min(target.shape[1], foil.shape[1]) < 2 or len(target) < 2:
        return differences.astype("f"), np.full((len(differences), 2), np.nan, np.float32)
    draw = np.random.default_rng(seed)
    ours, others = target[:, :, None], foil[:, None, :]
    wins = (ours > others) + 0.5 * (ours == others)
    left, right = (_counts(draw, group.shape[1]) for group in (target, foil))
    areas = np.einsum("di,rij,dj->dr", left, wins, right, optimize=True) / wins[0].size
    again = signs[0] * (areas[:, :1] - 0.5) - signs[1:] * (areas[:, 1:] - 0.5)
    error = again.std(0)
    off = np.abs(again - differences) / np.where(error > 0, error, np.inf)
    half = np.quantile(off.max(1), 0.95) * error
    return differences.astype("f"), np.stack([differences - half, differences + half], -1).astype(
        "f"
    )


def _counts(draw: np.random.Generator, size: int) -> Float[np.ndarray, "draw word"]:
    """How often each word of a group is in each resample."""
    return draw.multinomial(size, np.full(size, 1 / size), RESAMPLES).astype(float)
