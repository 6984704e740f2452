"""What is estimated over frames and words, from the measures of every prompt."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from jaxtyping import Bool, Float

from analysis.numbers.separation import auc, word_interval
from analysis.numbers.shares import variance_shares
from analysis.numbers.two_way import (
    Weights,
    area,
    area_between,
    mean,
    middle,
    resampled,
    shuffled_area,
)


def statistics(
    values: Float[np.ndarray, "3 example frame word"],
    calls: Bool[np.ndarray, " word"],
    looks: Bool[np.ndarray, " word"],
    example_has: Sequence[str],
    seed: int,
) -> dict[str, np.ndarray]:
    """Everything that is estimated over frames and words."""
    weights = resampled(values.shape[2], 2 * calls + looks, seed)
    factors = ((calls, looks), (looks, calls))
    areas = np.stack([area(values, *factor, weights) for factor in factors], 1)
    after = _after_examples(values, example_has, weights)
    shares = variance_shares(values[0], calls, looks, weights)
    frames = np.eye(values.shape[2])
    everyone = Weights(frames, np.ones((len(frames), len(calls))))
    chance = [shuffled_area(values[0], *factor, seed) for factor in factors]
    cells = [[calls & looks, calls & ~looks], [~calls & looks, ~calls & ~looks]]
    means = np.stack([[mean(values[0], cell, weights) for cell in row] for row in cells])
    means = np.moveaxis(means, 2, 0)
    return {
        **_estimate("area", areas),
        **_estimate("rule_lead", areas[:, 0, :, 0] - areas[:, 1, :, 0]),
        **_estimate("drop", areas[:, 0, :, :1] - areas[:, 0]),
        "frame_area": np.moveaxis(area(values, calls, looks, everyone), 0, -1).astype("f"),
        "shuffled": np.stack([middle(each) for each in chance]),
        **_estimate("example_area", after, "example_interval"),
        **_estimate("share", shares),
        **_estimate("means", means, "mean_intervals"),
    }


def _estimate(
    name: str, samples: Float[np.ndarray, " draw *table"], interval: str = ""
) -> dict[str, np.ndarray]:
    """A statistic of the table itself, which is the first draw, and its interval."""
    return {
        name: samples[0].astype(np.float32),
        interval or f"{name}_interval": middle(samples[1:]),
    }


def _after_examples(
    values: Float[np.ndarray, "3 example frame word"], example_has: Sequence[str], weights: Weights
) -> Float[np.ndarray, "draw 3"]:
    """Chance that a measure is larger after an example that has the target in it."""
    with_target, with_foil = (
        [place for place, side in enumerate(example_has) if side == wanted]
        for wanted in ("target", "foil")
    )
    if not (with_target and with_foil):
        return np.full((len(weights.rows), len(values)), np.nan)
    pairs = [
        [area_between(each[high], each[low], weights) for each in values]
        for high, low in product(with_target, with_foil)
    ]
    return np.asarray(np.mean(pairs, axis=0)).T


def own_statistics(
    values: Float[np.ndarray, "3 example own"], size: int, seed: int
) -> dict[str, np.ndarray]:
    """AUC over the question's own words, in one frame."""
    areas = [auc(each[:, :size], each[:, size:]) for each in values]
    spans = [word_interval(each[:, :size], each[:, size:], auc, seed) for each in values]
    return {"own_area": np.stack(areas), "own_interval": np.stack(spans)}
