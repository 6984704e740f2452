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

from analysis.engines.activation import check_activation
from analysis.engines.tail import Tail
from analysis.neuron import Neuron
from analysis.subject import Subject

Weights = Literal["out", "in"]

CHUNK_TOKENS = 512
"""Tokens that go on at once: bounds memory, of which their logits are the largest part."""


@dataclass(frozen=True)
class Setting:
    """One neuron, which of its weights are scaled, and by what."""

    neuron: Neuron
    weights: Weights
    factor: float


class Modulator:
    """A model, ready to run texts with weights of neurons of one layer scaled.

    Args:
        subject: the model.
        layer: where the neurons are.
    """

    def __init__(self, subject: Subject, layer: int) -> None:
        self.subject, self.layer = subject, layer
        self._checked = False

    @torch.inference_mode()
    def run(
        self, tokens: Sequence[int], settings: Sequence[Setting]
    ) -> Iterator[Float[Tensor, "setting pos d_model"]]:
        """Final residual of one text under every setting, in order, some settings at a time."""
        cache, subject = self._cache(tokens), self.subject
        before = subject.before_norm(self.layer, cache["mlp.hook_post"])
        tail = Tail(subject, tuple(tokens), 0)
        size = max(1, CHUNK_TOKENS // len(tokens))
        for begin in range(0, len(settings), size):
            some = settings[begin : begin + size]
            write = subject.W_out(self.layer)[[s.neuron.number for s in some]]
            own = torch.stack([cache["mlp.hook_post"][:, s.neuron.number] for s in some])
            change = torch.stack([self._one(cache, s) for s in some]) - own
            added = subject.added(self.layer, before, change[..., None] * write[:, None])
            yield tail.everywhere(cache["hook_resid_post"] + added, self.layer)

    @torch.inference_mode()
    def activations(
        self, tokens: Sequence[int], settings: Sequence[Setting]
    ) -> Float[Tensor, "setting pos"]:
        """What each setting's neuron writes with, position by position."""
        cache = self._cache(tokens)
        return torch.stack([self._one(cache, setting) for setting in settings])

    def _cache(self, tokens: Sequence[int]) -> dict[str, Float[Tensor, "pos _"]]:
        """The layer's readings and activations, and the residual behind it.

        Raises:
            UserError: the activations are no function of the readings that is known.
        """
        if not self._checked:
            check_activation(self.subject, tokens)
            self._checked = True
        names = ["mlp.hook_post", "mlp.hook_pre", "hook_resid_post"]
        names += ["mlp.hook_pre_linear"] if self.subject.family.gated else []
        return {k: v[self.layer] for k, v in self.subject.cache(tokens, *names).items()}

    def _one(self, cache: dict[str, Tensor], setting: Setting) -> Float[Tensor, " pos"]:
        number = setting.neuron.number
        if setting.weights == "out":
            return cache["mlp.hook_post"][:, number] * setting.factor
        if "mlp.hook_pre_linear" not in cache:
            return self.subject.activation(self._scaled(cache["mlp.hook_pre"], "b_in", setting))
        gate = self.subject.activation(self._scaled(cache["mlp.hook_pre"], "b_gate", setting))
        return gate * self._scaled(cache["mlp.hook_pre_linear"], "b_in", setting)

    def _scaled(self, pre: Tensor, bias: str, setting: Setting) -> Float[Tensor, " pos"]:
        """A pre-activation whose weights, not its bias, are scaled."""
        biases = getattr(self.subject.bridge.blocks[self.layer].mlp, bias, None)
        rest = 0.0 if biases is None else biases[setting.neuron.number]
        return (pre[:, setting.neuron.number] - rest) * setting.factor + rest

    @torch.inference_mode()
    def logits(self, resid: Float[Tensor, "*any d_model"]) -> Float[Tensor, "*any d_vocab"]:
        """Logits of final residuals."""
        logits = self.subject.read_out.logits(self.subject.final_norm(resid))
        return self.subject.finite(logits, "logits").float()
