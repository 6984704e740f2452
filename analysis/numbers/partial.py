"""How two numbers go together in a table of rows and columns, and beyond what a third explains."""

import numpy as np
from jaxtyping import Float

from analysis.numbers.two_way import Weights


def within_rows(
    values: Float[np.ndarray, "3 table row column"], weights: Weights
) -> Float[np.ndarray, "draw 3"]:
    """Correlation of the first two; beyond the third; and of the first and third beyond the second.

    Over the columns of a row, pooled over the rows of a table, averaged over tables, so that what
    the third does may differ between these. The last two are partial correlations (Yule, 1907).
    For the tables themselves and for every resample; not numbers where one of the three does not
    vary in some table, or is all that another is.
    """
    columns = weights.columns / weights.columns.sum(1, keepdims=True)
    means = np.einsum("dc,ktrc->kdtr", columns, values, optimize=True)

    def covariance(i: int, j: int) -> Float[np.ndarray, "draw table"]:
        product = np.einsum("dc,trc->dtr", columns, values[i] * values[j], optimize=True)
        by_row = product - means[i] * means[j]
        return np.asarray(np.einsum("dr,dtr->dt", weights.rows, by_row, optimize=True))

    spread = [np.sqrt(np.maximum(covariance(i, i), 0)) for i in range(3)]
    with np.errstate(divide="ignore", invalid="ignore"):
        together, first, second = (
            covariance(i, j) / (spread[i] * spread[j]) for i, j in ((0, 1), (0, 2), (1, 2))
        )
        found = [together, _beyond(together, first, second), _beyond(first, together, second)]
    return np.stack(found, -1).mean(1)


def _beyond(
    together: Float[np.ndarray, "draw table"],
    one: Float[np.ndarray, "draw table"],
    other: Float[np.ndarray, "draw table"],
) -> Float[np.ndarray, "draw table"]:
    """Correlation of two with a third held fixed, from theirs with it."""
    left = np.sqrt(np.maximum((1 - one**2) * (1 - other**2), 0))
    return np.asarray(np.where(left > 0, (together - one * other) / left, np.nan))
