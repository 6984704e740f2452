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

from analysis.engines.reading import NO_TOKEN, Reading
from analysis.numbers.statistics import RESAMPLES

OUTCOMES = ("log-probability", "probability", "next token")
"""What activations are compared with: the model's prediction of a token, and the text itself."""

SMALLEST = 1e-12

STILL = 1e-10
"""An activation never changes whose variance is no more than this share of its mean square."""


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
        self.counts = torch.zeros(len(OUTCOMES), dtype=torch.float64)
        self.active = torch.zeros(len(OUTCOMES), 2, size, dtype=torch.float64)
        self.outcomes = torch.zeros(len(OUTCOMES), 2, size, dtype=torch.float64)
        self.products = torch.zeros(len(OUTCOMES), size, size, dtype=torch.float64)
        self.follows = torch.zeros(size, dtype=torch.float64)

    def add(
        self, reading: Reading, lse: Float[Tensor, " token"], own: Bool[Tensor, " token"]
    ) -> None:
        """Count the marked tokens of a reading; ``lse`` is the logsumexp of its logits.

        A window's last token, whose next one is unknown, says nothing of the text's next tokens.
        """
        if not len(self.tokens):
            return
        active = self._active(reading)[own.cpu()]
        wanted = reading.logits[:, self.tokens.to(reading.logits.device)] - lse[:, None]
        log_p = wanted[own].cpu()
        following = reading.following[own].cpu()
        follows = (following[:, None] == self.tokens).float()
        for place in range(2):
            self._tally(place, active, (log_p, log_p.exp())[place])
        known = following != NO_TOKEN
        self._tally(2, active[known], follows[known])
        self.follows += follows.sum(0)

    @property
    def count(self) -> int:
        """Tokens counted."""
        return int(self.counts[0])

    def _tally(
        self, place: int, active: Float[Tensor, "token pair"], outcome: Float[Tensor, "token pair"]
    ) -> None:
        self.counts[place] += len(active)
        self.active[place] += _powers(active)
        self.outcomes[place] += _powers(outcome)
        self.products[place] += (active.T @ outcome).double()

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
        place = OUTCOMES.index(outcome)
        count = self.counts[place].clamp_min(1)
        (active, active2), (outcomes, outcomes2) = (
            self.active[place] / count,
            self.outcomes[place] / count,
        )
        shared = self.products[place] / count - active[:, None] * outcomes
        active_spread = (active2 - active**2).clamp_min(0).sqrt()
        spread = active_spread[:, None] * (outcomes2 - outcomes**2).clamp_min(0).sqrt()
        known = spread > SMALLEST
        return torch.where(known, shared / spread.clamp_min(SMALLEST), 0.0).numpy()

    def alive(self, outcome: str) -> Bool[np.ndarray, " pair"]:
        """Marks the neurons whose activation changes at all on the tokens counted."""
        place = OUTCOMES.index(outcome)
        active, active2 = self.active[place] / self.counts[place].clamp_min(1)
        return (active2 - active**2 > STILL * active2).numpy()


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

    Equal values share the mean of their ranks. Three NaNs for fewer than three samples, and where
    either side never changes; resamples in which one does not are left out of the interval.
    """
    if len(first) < 3 or not (np.ptp(first) and np.ptp(second)):
        return (float("nan"),) * 3
    ranks = np.stack([_ranks(first), _ranks(second)])
    rows = np.random.default_rng(seed).integers(0, len(first), (RESAMPLES // 4, len(first)))
    drawn = ranks[:, rows] - ranks[:, rows].mean(-1, keepdims=True)
    scale = np.sqrt((drawn**2).sum(-1).prod(0))
    resampled = drawn.prod(0).sum(-1)[scale > 0] / scale[scale > 0]
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(np.corrcoef(ranks)[0, 1]), float(low), float(high)


def _ranks(values: Float[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
    """Ranks from 0, the mean of their places for equal values."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (count.cumsum() - (count + 1) / 2)[place]
