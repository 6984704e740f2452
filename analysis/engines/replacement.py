"""What an ablation puts in place of a neuron's activation.

Zero is the usual choice, and off the neuron's own distribution where its mean is not zero. The mean
over other text and draws from other text do not have that fault (resample ablation: Chan et al.,
"Causal scrubbing", 2022). Negation is no ablation: it takes the neuron's write away and then writes
its opposite. It stands here because the original study did it (Miller and Neo, 2023).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

METHODS = ("zero", "mean", "resample", "negate")


@dataclass(frozen=True)
class Draw:
    """Random tokens of the pool, one for each place where an activation is replaced.

    Attributes:
        window: which window of the pool each comes from.
        pos: its position there, counted from the window's second token.
    """

    window: Int[np.ndarray, "some pos"]
    pos: Int[np.ndarray, "some pos"]


@dataclass(frozen=True)
class Pool:
    """Activations of some neurons on other text, the first token of every window apart.

    A text's first token is like no other: many models park attention there, with activations far
    from all others'.

    Attributes:
        first: at the first position of every window.
        rest: at the positions after it.
    """

    first: Float[Tensor, "window neuron"]
    rest: Float[Tensor, "window pos neuron"]

    def mean(self, column: int, start: int, count: int) -> Float[Tensor, " pos"]:
        """Mean activation of a neuron at ``count`` positions from ``start`` on, by their kind."""
        means = self.rest[..., column].mean().repeat(count)
        if start == 0:
            means[0] = self.first[:, column].mean()
        return means

    def draw(
        self, rng: np.random.Generator, rows: int, count: int, own: list[int] | None = None
    ) -> Draw:
        """Random tokens for ``count`` positions of some rows.

        Args:
            rng: where chance comes from.
            rows: how many rows of positions to fill.
            count: positions a row.
            own: the pool's window that each row stands in itself and must not draw from, -1 where
                it stands in none.
        """
        windows, length = self.rest.shape[:2]
        if own is None:
            window = rng.integers(0, windows, (rows, count))
        else:
            mine = np.array(own)[:, None]
            window = rng.integers(0, windows - (mine >= 0), (rows, count))
            window += (mine >= 0) & (window >= mine)
        return Draw(window, rng.integers(0, length, (rows, count)))

    def drawn(self, draw: Draw, column: int, start: int) -> Float[Tensor, "some pos"]:
        """The neuron's activations on drawn tokens, for positions from ``start`` on."""
        window = torch.as_tensor(draw.window, device=self.rest.device)
        pos = torch.as_tensor(draw.pos, device=self.rest.device)
        values = self.rest[window, pos, column]
        if start == 0:
            values[:, 0] = self.first[window[:, 0], column]
        return values
