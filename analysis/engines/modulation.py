"""Runs a text with one neuron's weights scaled, without touching any weight.

Output weights times a factor write the activation times that factor. Input weights times a factor
give the pre-activations times that factor, biases left out, which then go through the activation
function. Either way only what the neuron's own layer writes changes, so the pass is taken up
behind that layer, for many settings at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.family import part
from analysis.neuron import Neuron
from analysis.subject import Subject, share_weights

Weights = Literal["out", "in"]

CHUNK_TOKENS = 512
"""Tokens that go on at once: bounds memory, of which their logits are the largest part."""


@dataclass(frozen=True)
class Setting:
    """One neuron, which of its weights are scaled, and by what."""

    neuron: Neuron
    weights: Weights
    factor: float


def is_gated(subject: Subject) -> bool:
    """Whether the MLPs multiply an activated gate by a second, linear projection."""
    return hasattr(subject.bridge.blocks[0].mlp, "gate")


class Modulator:
    """A model, ready to run texts with weights of neurons of one layer scaled.

    Args:
        subject: the model.
        layer: where the neurons are.
    """

    def __init__(self, subject: Subject, layer: int) -> None:
        self.subject, self.layer = subject, layer
        twin = share_weights(subject.model)
        twin.config._attn_implementation = "sdpa"
        self._blocks = list(part(twin, subject.family.blocks).children())
        mlp = self._blocks[layer].get_submodule("mlp")
        self._act = mlp.get_submodule("act_fn" if hasattr(mlp, "act_fn") else "act")

    def run(
        self, tokens: Sequence[int], settings: Sequence[Setting]
    ) -> Iterator[Float[Tensor, "setting pos d_model"]]:
        """Final residual of one text under every setting, in order, some settings at a time."""
        base, before, changed = self._taken(tokens, settings)
        size = max(1, CHUNK_TOKENS // len(tokens))
        for begin in range(0, len(settings), size):
            some = slice(begin, begin + size)
            write = torch.stack([self.subject.write(s.neuron) for s in settings[some]])
            change = (changed - before)[some]
            yield self._go_on(base + change[..., None] * write[:, None])

    def activations(
        self, tokens: Sequence[int], settings: Sequence[Setting]
    ) -> Float[Tensor, "setting pos"]:
        """What each setting's neuron writes with, position by position."""
        return self._taken(tokens, settings)[2]

    @torch.inference_mode()
    def _taken(
        self, tokens: Sequence[int], settings: Sequence[Setting]
    ) -> tuple[
        Float[Tensor, "pos d_model"], Float[Tensor, "setting pos"], Float[Tensor, "setting pos"]
    ]:
        """Residual behind the layer, and every setting's activation before and after scaling."""
        names = ["mlp.hook_post", "mlp.hook_pre", "hook_resid_post"]
        names += ["mlp.hook_pre_linear"] if is_gated(self.subject) else []
        cache = {k: v[self.layer] for k, v in self.subject.cache(tokens, *names).items()}
        before = torch.stack([cache["mlp.hook_post"][:, s.neuron.number] for s in settings])
        return (
            cache["hook_resid_post"],
            before,
            torch.stack([self._one(cache, s) for s in settings]),
        )

    def _one(self, cache: dict[str, Tensor], setting: Setting) -> Float[Tensor, " pos"]:
        number = setting.neuron.number
        if setting.weights == "out":
            return cache["mlp.hook_post"][:, number] * setting.factor
        if "mlp.hook_pre_linear" not in cache:
            return self._act(self._scaled(cache["mlp.hook_pre"], "b_in", setting))
        gate = self._act(self._scaled(cache["mlp.hook_pre"], "b_gate", setting))
        return gate * self._scaled(cache["mlp.hook_pre_linear"], "b_in", setting)

    def _scaled(self, pre: Tensor, bias: str, setting: Setting) -> Float[Tensor, " pos"]:
        """A pre-activation whose weights, not its bias, are scaled."""
        biases = getattr(self.subject.bridge.blocks[self.layer].mlp, bias, None)
        rest = 0.0 if biases is None else biases[setting.neuron.number]
        return (pre[:, setting.neuron.number] - rest) * setting.factor + rest

    @torch.inference_mode()
    def _go_on(
        self, resid: Float[Tensor, "setting pos d_model"]
    ) -> Float[Tensor, "setting pos d_model"]:
        """From behind the layer to the end."""
        subject, rotary = self.subject, None
        if subject.family.rotary is not None:
            positions = torch.arange(resid.shape[1], device=resid.device)[None]
            rotary = part(subject.model, subject.family.rotary)(resid, position_ids=positions)
        for block in self._blocks[self.layer + 1 :]:
            resid = block(resid, position_embeddings=rotary)
        return resid

    @torch.inference_mode()
    def logits(self, resid: Float[Tensor, "*any d_model"]) -> Float[Tensor, "*any d_vocab"]:
        """Logits of final residuals."""
        logits = self.subject.final_norm(resid) @ self.subject.unembedding.T
        return self.subject.finite(logits, "logits").float()
