"""Ridge regression from running sums: any amount of data in bounded memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

PENALTIES = (1e-7, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""As shares of the mean square of a feature. Which one is chosen is decided by held-out error."""


@dataclass
class Sums:
    """Sums over samples of all products of features and values, in float64.

    Attributes:
        gram: features with features.
        cross: features with values.
        squares: of the values.
        totals: of the values.
        count: of samples.
    """

    gram: Float[Tensor, "feature feature"]
    cross: Float[Tensor, "feature value"]
    squares: Float[Tensor, " value"]
    totals: Float[Tensor, " value"]
    count: float = 0.0

    @classmethod
    def empty(cls, features: int, values: int) -> "Sums":
        """Sums over nothing."""
        sizes = (features, features), (features, values), (values,), (values,)
        return cls(*(torch.zeros(size, dtype=torch.float64) for size in sizes))

    def add(
        self,
        x: Float[Tensor, "sample feature"],
        y: Float[Tensor, "sample value"],
        weight: Float[Tensor, " sample"] | None = None,
    ) -> None:
        """Count some samples in, each so many times, by default once."""
        x, y = x.cpu().double(), y.cpu().double()
        times = torch.ones(len(x), 1) if weight is None else weight[:, None]
        times = times.cpu().double()
        self.gram += x.T @ (x * times)
        self.cross += x.T @ (y * times)
        self.squares += (y.square() * times).sum(0)
        self.totals += (y * times).sum(0)
        self.count += float(times.sum())

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(a + b for a, b in zip(self.parts, other.parts, strict=True)))

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(*(a - b for a, b in zip(self.parts, other.parts, strict=True)))

    @property
    def parts(self) -> tuple[Tensor, Tensor, Tensor, Tensor, float]:
        """All sums, in the order of the attributes."""
        return self.gram, self.cross, self.squares, self.totals, self.count

    def solved(self, penalty: float) -> Float[Tensor, "value feature"]:
        """The weights that make the squared error least, plus the penalty on their size."""
        size = len(self.gram)
        scale = penalty * float(self.gram.trace()) / size
        regular = self.gram + scale * torch.eye(size, dtype=torch.float64)
        factor, failed = torch.linalg.cholesky_ex(regular)
        if failed:
            return torch.linalg.lstsq(regular, self.cross).solution.T
        return torch.cholesky_solve(self.cross, factor).T

    def error(self, weights: Float[Tensor, "value feature"]) -> Float[Tensor, " value"]:
        """Sum of squared errors of these weights on the samples."""
        predicted = (weights @ self.gram * weights).sum(1)
        return self.squares - 2 * (weights * self.cross.T).sum(1) + predicted

    @property
    def spread(self) -> Float[Tensor, " value"]:
        """Sum of squared errors of the mean."""
        return self.squares - self.totals.square() / self.count


@dataclass(frozen=True)
class Fit:
    """Weights, and how well such weights did on samples that they were not fitted to.

    Attributes:
        weights: fitted to all samples.
        penalty: of each value, by held-out error.
        explained: share of each value's variance on held-out samples (R squared); below zero it
            is worse than their mean.
    """

    weights: Float[Tensor, "value feature"]
    penalty: Float[Tensor, " value"]
    explained: Float[Tensor, " value"]


def fit(folds: Sequence[Sums], penalties: Sequence[float] = PENALTIES) -> Fit:
    """Ridge regression, every value with the penalty that makes its held-out error least.

    Each fold is held out in turn (Hoerl and Kennard, 1970; Stone, 1974). Its error follows from its
    sums, so no sample is looked at twice.

    Args:
        folds: sums over samples that belong together, such as those of the same texts.
        penalties: to choose from.
    """
    total = folds[0]
    for fold in folds[1:]:
        total = total + fold
    errors = torch.stack(
        [
            sum((fold.error((total - fold).solved(penalty)) for fold in folds), 0 * total.squares)
            for penalty in penalties
        ]
    )
    best = errors.argmin(0)
    rows = torch.arange(len(best))
    solved = {i: total.solved(penalties[i]) for i in set(best.tolist())}
    return Fit(
        weights=torch.stack([solved[i][row] for row, i in enumerate(best.tolist())]),
        penalty=torch.tensor(penalties, dtype=torch.float64)[best],
        explained=1 - errors[best, rows] / total.spread,
    )
