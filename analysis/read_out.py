"""From the final norm's output to logits, as the model's own head does it."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class ReadOut:
    """``cap(scale * (normed @ weight.T + bias))``.

    Attributes:
        weight: the raw unembedding.
        bias: of the head, if it has one (GPT-J, Phi).
        scale: what all logits are multiplied by (Cohere, Granite).
        cap: how large a logit can get (Gemma 2): ``cap * tanh(logit / cap)``.
    """

    weight: Float[Tensor, "d_vocab d_model"]
    bias: Float[Tensor, " d_vocab"] | None
    scale: float
    cap: float | None

    def logits(self, normed: Float[Tensor, "*row d_model"]) -> Float[Tensor, "*row d_vocab"]:
        """All logits."""
        raw = normed @ self.weight.T
        return self.capped(self.scaled(raw if self.bias is None else raw + self.bias))

    def of(self, tokens: list[int]) -> "ReadOut":
        """The way to the logits of some tokens alone."""
        bias = None if self.bias is None else self.bias[tokens]
        return ReadOut(self.weight[tokens], bias, self.scale, self.cap)

    def difference(
        self, normed: Float[Tensor, "*row d_model"], target: int, foil: int
    ) -> Float[Tensor, "*row"]:
        """One logit minus another."""
        if self.cap is not None:
            two = self.of([target, foil]).logits(normed)
            return two[..., 0] - two[..., 1]
        raw = normed @ (self.weight[target] - self.weight[foil])
        return self.scaled(raw if self.bias is None else raw + self.bias[target] - self.bias[foil])

    def scaled(self, raw: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Products with the unembedding as logits, before they are capped."""
        return raw if self.scale == 1 else raw * self.scale

    def capped(self, logits: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """What the cap leaves of logits."""
        return logits if self.cap is None else self.cap * torch.tanh(logits / self.cap)


def read_out(head: Any, config: Any) -> ReadOut:
    """The way to logits of a model, by its head and the settings that change logits."""
    scale = getattr(config, "logit_scale", None) or 1 / getattr(config, "logits_scaling", 1)
    cap = getattr(config, "final_logit_softcapping", None)
    bias = getattr(head, "bias", None)
    return ReadOut(head.weight, bias, float(scale), None if cap is None else float(cap))
