"""How a choice between two answers changes, with intervals over what the texts were drawn from."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

RESAMPLES = 2000

Weights = Float[np.ndarray, "draw text"]


class Choices:
    """Texts of two kinds, resampled by unit: those of one word or article come together.

    Args:
        target: whether a text calls for the target, else the foil.
        unit: what each text belongs to.
        seed: of the draws.
    """

    def __init__(
        self, target: Bool[np.ndarray, " text"], unit: Int[np.ndarray, " text"], seed: int
    ) -> None:
        self.target = target
        _, place = np.unique(unit, return_inverse=True)
        units = int(place.max(initial=-1)) + 1
        draw = np.random.default_rng(seed)
        drawn = draw.multinomial(units, np.full(units, 1 / max(1, units)), RESAMPLES)
        self._weights = np.concatenate([np.ones((1, len(target))), drawn[:, place]])
        self.units = units

    def mean(
        self, values: Float[np.ndarray, " text"], which: Bool[np.ndarray, " text"] | None = None
    ) -> Float[np.ndarray, "3"]:
        """Mean over some texts, all by default, and its 95 % interval."""
        return self._with_interval(lambda weights: _mean(weights, values, which))

    def margin(self, values: Float[np.ndarray, " text"]) -> Float[np.ndarray, "3"]:
        """Mean where the target is called for, less that where the foil is.

        A bias adds the same to both, and so nothing to this.
        """
        return self._with_interval(lambda weights: self._margin(weights, values))

    def area(self, values: Float[np.ndarray, " text"]) -> Float[np.ndarray, "3"]:
        """AUC: the chance that the value is larger where the target is called for."""
        ours, others = values[self.target][:, None], values[~self.target]
        wins = (ours > others) + 0.5 * (ours == others)

        def areas(weights: Weights) -> Float[np.ndarray, " draw"]:
            left, right_ones = weights[:, self.target], weights[:, ~self.target]
            total: np.ndarray = ((left @ wins) * right_ones).sum(1)
            return total / (left.sum(1) * right_ones.sum(1))

        return self._with_interval(areas)

    def share(
        self, part: Float[np.ndarray, " text"], whole: Float[np.ndarray, " text"]
    ) -> Float[np.ndarray, "3"]:
        """One margin as a share of another."""
        return self._with_interval(lambda w: self._margin(w, part) / self._margin(w, whole))

    def _margin(self, weights: Weights, values: np.ndarray) -> Float[np.ndarray, " draw"]:
        return _mean(weights, values, self.target) - _mean(weights, values, ~self.target)

    def _with_interval(
        self, statistic: Callable[[Weights], Float[np.ndarray, " draw"]]
    ) -> Float[np.ndarray, "3"]:
        """Its value and the ends of its percentile interval; NaNs where there is nothing to draw.

        A draw that misses a kind altogether has no margin, and is left out.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            found, *samples = statistic(self._weights)
        drawn = np.array(samples)[np.isfinite(samples)]
        if self.units < 2 or not len(drawn):
            return np.array([found, np.nan, np.nan])
        return np.array([found, *np.quantile(drawn, [0.025, 0.975])])


def _mean(
    weights: Weights, values: np.ndarray, which: np.ndarray | None
) -> Float[np.ndarray, " draw"]:
    some = weights if which is None else weights * which
    mean: np.ndarray = some @ values / some.sum(1)
    return mean


def right(
    differences: Float[np.ndarray, "*row text"], target: Bool[np.ndarray, " text"]
) -> Float[np.ndarray, "*row text"]:
    """One where the answer preferred is the one called for, else zero."""
    return ((differences > 0) == target).astype(float)


def surprise(
    differences: Float[np.ndarray, "*row text"], target: Bool[np.ndarray, " text"]
) -> Float[np.ndarray, "*row text"]:
    """Loss of the choice between the two answers alone, in nats."""
    return np.logaddexp(0.0, np.where(target, -1.0, 1.0) * differences)
