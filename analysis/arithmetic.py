"""In which type a model computes, how exactly, and how many tokens at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

GPU_TIMES = 128
"""So many times the tokens that are right for a processor go through a GPU at once: an H100 has
132 units that multiply, and starting work on them takes longer than a few tokens' work."""

GPU_BYTES = 2**30
"""What one table of a value for each token, and neuron or word, may take there."""

TF32_EPS = 2.0**-10
"""Ten bits behind the point are kept of what is multiplied."""


@dataclass(frozen=True)
class Arithmetic:
    """That of weights of one type on one device."""

    device: torch.device
    dtype: torch.dtype

    @property
    def name(self) -> str:
        """As a user gives it: ``tf32`` where a GPU rounds the products of float32."""
        rounded = self.dtype == torch.float32 and self.device.type == "cuda"
        if rounded and torch.backends.cuda.matmul.allow_tf32:
            return "tf32"
        return str(self.dtype).removeprefix("torch.")

    @property
    def eps(self) -> float:
        """What a product may be off by, as a share of it."""
        return TF32_EPS if self.name == "tf32" else torch.finfo(self.dtype).eps

    def tokens_a_pass(self, tokens: int, width: int) -> int:
        """How many tokens go through a pass together.

        Args:
            tokens: what is right on a processor, for its caches and its speed.
            width: how many values of each token are held at once.
        """
        if self.device.type != "cuda":
            return tokens
        return max(tokens, min(GPU_TIMES * tokens, GPU_BYTES // (4 * width)))


@contextmanager
def exact_products() -> Iterator[None]:
    """Inside, products of numbers in float32 keep all of their bits on every device."""
    kept = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = kept
