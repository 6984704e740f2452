"""How much of the variance in a balanced table each of its factors explains."""

import numpy as np
from jaxtyping import Bool, Float

from analysis.numbers.two_way import Weights

SHARES = ("rule", "cue", "other", "example", "rule x example", "frame", "rest")
"""The parts that make up the variance: the words' two factors and what else they differ in; the
example, and what the rule does after one example and not after another; the frame; the rest, which
is what other factors do together."""


def variance_shares(
    values: Float[np.ndarray, "example row column"],
    rule: Bool[np.ndarray, " column"],
    cue: Bool[np.ndarray, " column"],
    weights: Weights,
) -> Float[np.ndarray, "draw share"]:
    """Sums of squares over the total, for the table and for every resample.

    As many columns of each of the four kinds that rule and cue make, so that the parts are
    orthogonal and sum to one (analysis of variance; Fisher, 1925). All values alike: not numbers.
    """
    rows = weights.rows / weights.rows.sum(1, keepdims=True)
    columns = weights.columns / weights.columns.sum(1, keepdims=True)
    by_column = np.einsum("dr,erc->dec", rows, values, optimize=True)
    by_row = np.einsum("dc,erc->dr", columns, values, optimize=True) / len(values)
    grand = np.einsum("dr,dr->d", rows, by_row)
    total = np.einsum("dr,erc,dc->d", rows, values**2, columns, optimize=True) / len(values)
    by_example = np.einsum("dec,dc->de", by_column, columns, optimize=True)
    halves = [_halves(by_column, columns, factor) for factor in (rule, cue)]
    by_rule, by_cue = (((half.mean(2) - grand[:, None]) ** 2).mean(1) for half in halves)
    each = ((by_column.mean(1) - grand[:, None]) ** 2 * columns).sum(1)
    example = ((by_example - grand[:, None]) ** 2).mean(1)
    together = ((halves[0] - grand[:, None, None]) ** 2).mean((1, 2)) - by_rule - example
    frame = ((by_row - grand[:, None]) ** 2 * rows).sum(1)
    parts = [by_rule, by_cue, each - by_rule - by_cue, example, together, frame]
    whole = total - grand**2
    found = np.stack([*parts, whole - np.sum(parts, axis=0)], -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole[:, None] > 0, found / whole[:, None], np.nan)


def _halves(
    by_column: Float[np.ndarray, "draw example column"],
    columns: Float[np.ndarray, "draw column"],
    factor: Bool[np.ndarray, " column"],
) -> Float[np.ndarray, "draw 2 example"]:
    """Means of the columns of either half, after every example."""
    means = []
    for half in (factor, ~factor):
        part = columns * half
        mean = np.einsum("dec,dc->de", by_column, part / part.sum(1, keepdims=True), optimize=True)
        means.append(mean)
    return np.stack(means, 1)
