"""What a norm is, read off what it does: every architecture writes its own."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from analysis.errors import UserError

LOUD = 100.0
"""Length per dimension of the vectors that a norm is asked about: its epsilon is nothing to it."""


@dataclass(frozen=True)
class Norm:
    """``norm(x) = centred(x) / scale(x) * gain + bias``.

    Attributes:
        module: the transformers module.
        gain: what the scaled residual is multiplied by.
        bias: what is added; zeros where it has none.
        centres: whether the mean of ``x`` is taken off.
    """

    module: nn.Module
    gain: Float[Tensor, " d_model"]
    bias: Float[Tensor, " d_model"]
    centres: bool

    def fold(self, readers: Float[Tensor, "*row d_model"]) -> Float[Tensor, "*row d_model"]:
        """Directions that read the norm's output as such that read ``x / scale(x)``."""
        folded = readers * self.gain.to(readers)
        return folded - folded.mean(-1, keepdim=True) if self.centres else folded

    def pass_on(self, writes: Float[Tensor, "*row d_model"]) -> Float[Tensor, "*row d_model"]:
        """What is written through the norm, over ``scale(x)``."""
        centred = writes - writes.mean(-1, keepdim=True) if self.centres else writes
        return centred * self.gain.to(writes)

    def scale(self, x: Float[Tensor, "*row d_model"]) -> Float[Tensor, "*row"]:
        """What the norm divides ``x`` by."""
        centred = x - x.mean(-1, keepdim=True) if self.centres else x
        return (centred * self.gain).norm(dim=-1) / (self.module(x) - self.bias).norm(dim=-1)


@torch.no_grad()
def read_norm(module: nn.Module, like: Float[Tensor, " d_model"]) -> Norm:
    """Ask a norm what it does.

    A LayerNorm makes its bias of a constant vector, an RMSNorm its gain. The gain itself is the
    module's weight, one more than that (Gemma), or one: whichever a vector of signs comes out with.

    Args:
        module: the norm.
        like: any vector of the type and device of the residual stream.

    Raises:
        UserError: it is neither a LayerNorm nor an RMSNorm.
    """
    signs = torch.ones_like(like)
    signs[::2] = -1
    bias = module(torch.zeros_like(like))
    asked = ((module(LOUD * signs) - bias) * signs).float()
    flat = (module(LOUD * torch.ones_like(like)) - bias).float()
    weight = getattr(module, "weight", None)
    gains = [torch.ones_like(like)] + ([] if weight is None else [weight.data, 1 + weight.data])
    gain = min(gains, key=lambda each: float((each.float() - asked).norm()))
    if not float((gain.float() - asked).norm()) <= 0.02 * float(asked.norm()):
        raise UserError(f"{type(module).__name__} is a norm of a kind that is not supported here.")
    return Norm(module, gain, bias, bool(flat.norm() < asked.norm() / 2))
