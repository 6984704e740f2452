"""Does each neuron's activation go with the prediction of each token? Streaming cross moments.

The matrix of all neurons by all tokens of some pairs holds the pairs themselves on its diagonal,
and beside it every way to permute the tokens among the same neurons: controls with the same
neurons and the same tokens.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.engines.reading import Reading
from analysis.numbers.statistics import RESAMPLES

OUTCOMES = ("log-probability", "probability", "next token")
"""What activations are compared with: the model's prediction of a token, and the text itself."""

SMALLEST = 1e-12


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
        self.signs, self.tokens = torch.tensor(signs).float(), torch.tensor(tokens).long()
        size = len(tokens)
        self.count = 0
        self.active = torch.zeros(2, size, dtype=torch.float64)
        self.told = torch.zeros(len(OUTCOMES), 2, size, dtype=torch.float64)
        self.products = torch.zeros(len(OUTCOMES), size, size, dtype=torch.float64)
        self.follows = torch.zeros(size, dtype=torch.float64)

    def add(
        self, reading: Reading, lse: Float[Tensor, " token"], own: Bool[Tensor, " token"]
    ) -> None:
        """Count the marked tokens of a reading; ``lse`` is the logsumexp of its logits."""
        if not len(self.tokens):
            return
        active = self._active(reading)[own.cpu()]
        wanted = reading.logits[:, self.tokens.to(reading.logits.device)] - lse[:, None]
        log_p = wanted[own].cpu()
        follows = (reading.following[own].cpu()[:, None] == self.tokens).float()
        self.count += len(active)
        self.active += _powers(active)
        for place, outcome in enumerate((log_p, log_p.exp(), follows)):
            self.told[place] += _powers(outcome)
            self.products[place] += (active.T @ outcome).double()
        self.follows += follows.sum(0)

    def _active(self, reading: Reading) -> Float[Tensor, "token pair"]:
        values = torch.empty(len(reading.token), len(self.tokens))
        for layer in np.unique(self.layers):
            mine = np.flatnonzero(self.layers == layer)
            chosen = torch.as_tensor(self.numbers[mine], device=reading.token.device)
            values[:, mine] = reading.activations[int(layer)][:, chosen].cpu().float()
        return values * self.signs

    def correlations(self, outcome: str) -> Float[np.ndarray, "pair pair"]:
        """Pearson correlation of each neuron's activation with each token's outcome.

        Zero where one of the two never changes.
        """
        place, count = OUTCOMES.index(outcome), max(self.count, 1)
        (active, active2), (told, told2) = self.active / count, self.told[place] / count
        shared = self.products[place] / count - active[:, None] * told
        active_spread = (active2 - active**2).clamp_min(0).sqrt()
        spread = active_spread[:, None] * (told2 - told**2).clamp_min(0).sqrt()
        known = spread > SMALLEST
        return torch.where(known, shared / spread.clamp_min(SMALLEST), 0.0).numpy()


def _powers(values: Float[Tensor, "token pair"]) -> Float[Tensor, "2 pair"]:
    """Sums of values and of their squares."""
    exact = values.double()
    return torch.stack([exact.sum(0), (exact**2).sum(0)])


def advantages(
    values: Float[np.ndarray, "pair pair"], allowed: Bool[np.ndarray, "pair pair"]
) -> Float[np.ndarray, " kept"]:
    """Each pair's value (the diagonal) less the mean of its controls (what is allowed beside it).

    The controls of a pair are its neuron with the other pairs' tokens and its token with the other
    pairs' neurons, equally weighed; pairs with none that is allowed are left out.
    """
    kept = np.flatnonzero(allowed.any(1) & allowed.any(0))
    shown = np.where(allowed, values, 0)
    rows, columns = (shown.sum(side)[kept] / allowed.sum(side)[kept] for side in (1, 0))
    return np.diag(values)[kept] - (rows + columns) / 2


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
