"""Does each neuron's activation go with the prediction of each token? Streaming cross moments.

The matrix of all neurons by all tokens of some pairs holds the pairs themselves on its diagonal,
and beside it every way to permute the tokens among the same neurons: controls with the same
neurons and the same tokens.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.reading import Reading
from analysis.statistics import RESAMPLES


class CrossMoments:
    """Sums over tokens of text, for activations (rows) against predictions (columns).

    Args:
        layers: layer of each neuron.
        numbers: its number there.
        signs: -1 where it is read with negative activation.
        tokens: the token paired with it.
    """

    def __init__(
        self,
        layers: Sequence[int],
        numbers: Sequence[int],
        signs: Sequence[int],
        tokens: Sequence[int],
    ) -> None:
        self.layers, self.numbers = np.array(layers, dtype=int), np.array(numbers, dtype=int)
        self.signs, self.tokens = torch.tensor(signs).double(), torch.tensor(tokens).long()
        size = len(tokens)
        self.count = 0
        self.sums = torch.zeros(4, size, dtype=torch.float64)
        self.products = torch.zeros(size, size, dtype=torch.float64)
        self.follows = torch.zeros(size, dtype=torch.float64)
        self.before = torch.zeros(size, size, dtype=torch.float64)

    def add(
        self, reading: Reading, lse: Float[Tensor, " token"], own: Bool[Tensor, " token"]
    ) -> None:
        """Count the marked tokens of a reading; ``lse`` is the logsumexp of its logits."""
        if not len(self.tokens):
            return
        active = self._active(reading)[own.cpu()]
        wanted = reading.logits[:, self.tokens.to(reading.logits.device)] - lse[:, None]
        predicted = wanted[own].cpu().double()
        follows = (reading.following[own].cpu()[:, None] == self.tokens).double()
        self.count += len(active)
        parts = (active, active**2, predicted, predicted**2)
        self.sums += torch.stack([part.sum(0) for part in parts])
        self.products += active.T @ predicted
        self.follows += follows.sum(0)
        self.before += active.T @ follows

    def _active(self, reading: Reading) -> Float[Tensor, "token pair"]:
        values = torch.empty(len(reading.token), len(self.tokens), dtype=torch.float64)
        for layer in np.unique(self.layers):
            mine = np.flatnonzero(self.layers == layer)
            chosen = torch.as_tensor(self.numbers[mine], device=reading.token.device)
            values[:, mine] = reading.activations[int(layer)][:, chosen].cpu().double()
        return values * self.signs

    def correlations(self) -> Float[np.ndarray, "pair pair"]:
        """Pearson correlation of each activation with each token's log-probability.

        Zero where one of the two never changes.
        """
        active, active2, predicted, predicted2 = self.sums / max(self.count, 1)
        shared = self.products / max(self.count, 1) - active[:, None] * predicted
        spread = (active2 - active**2).clamp_min(0).sqrt()[:, None] * (
            predicted2 - predicted**2
        ).clamp_min(0).sqrt()
        return torch.where(spread > 1e-12, shared / spread.clamp_min(1e-12), 0.0).numpy()

    def shifts(self) -> Float[np.ndarray, "pair pair"]:
        """Mean activation where the token really comes next, in standard deviations from the mean.

        Zero where the token never follows.
        """
        active, active2 = self.sums[:2] / max(self.count, 1)
        spread = (active2 - active**2).clamp_min(0).sqrt()[:, None]
        shift = self.before / self.follows.clamp_min(1) - active[:, None]
        known = (spread > 1e-12) & (self.follows > 0)
        return torch.where(known, shift / spread.clamp_min(1e-12), 0.0).numpy()


def advantages(
    values: Float[np.ndarray, "pair pair"], allowed: Bool[np.ndarray, "pair pair"] | None = None
) -> tuple[Float[np.ndarray, " kept"], Float[np.ndarray, " kept"], Int[np.ndarray, " kept"]]:
    """Each pair's value less that of its controls: own values, control means, and which pairs.

    The controls of a pair are its neuron with the other pairs' tokens and its token with the other
    pairs' neurons, equally weighed; pairs with none that is allowed are left out.
    """
    off = ~np.eye(len(values), dtype=bool)
    off = off if allowed is None else off & allowed
    kept = np.flatnonzero(off.any(1) & off.any(0))
    rows = np.where(off, values, 0).sum(1)[kept] / off.sum(1)[kept]
    columns = np.where(off, values, 0).sum(0)[kept] / off.sum(0)[kept]
    return np.diag(values)[kept], (rows + columns) / 2, kept


def rank_correlation(
    first: Float[np.ndarray, " sample"], second: Float[np.ndarray, " sample"], seed: int
) -> tuple[float, float, float]:
    """Spearman's rank correlation with its 95 % percentile bootstrap interval over samples.

    Three NaNs for fewer than three samples.
    """
    if len(first) < 3:
        return (float("nan"),) * 3
    ranks = np.stack([np.argsort(np.argsort(x, kind="stable")) for x in (first, second)]).astype(
        float
    )
    rows = np.random.default_rng(seed).integers(0, len(first), (RESAMPLES // 4, len(first)))
    drawn = ranks[:, rows] - ranks[:, rows].mean(-1, keepdims=True)
    scale = np.sqrt((drawn**2).sum(-1).prod(0))
    resampled = drawn.prod(0).sum(-1) / np.where(scale > 0, scale, 1)
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(np.corrcoef(ranks)[0, 1]), float(low), float(high)
