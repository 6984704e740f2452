"""Patches neurons, each alone, from the clean into the corrupted run."""

from functools import partial
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.engines.tail import Tail
from analysis.neuron import Neuron
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair, check_gap
from analysis.subject import Subject

Positions = Literal["last", "all"]

ENTRY_TOKENS = 32_768
"""Patched tokens that may stand ready to enter a layer: bounds memory for long suffixes."""


class NeuronPatcher:
    """Patches chosen neurons of one pair, each alone, with the rest of the pass untouched.

    Raises:
        UserError: the prompts do not differ in their logit difference.
    """

    def __init__(self, subject: Subject, pair: PromptPair, positions: Positions = "last") -> None:
        self.subject, self.pair, self.positions = subject, pair, positions
        self.start = pair.start if positions == "all" else len(pair.clean.tokens) - 1
        names = ("mlp.hook_post", "hook_resid_post")
        clean = subject.cache(pair.clean.tokens, *names)
        corrupted = subject.cache(pair.corrupted.tokens, *names)
        self.delta = (clean[names[0]] - corrupted[names[0]])[:, self.start :]
        self._activations = corrupted[names[0]][:, self.start :]
        self._base = corrupted[names[1]][:, self.start :]
        self._tail = Tail(subject, pair.corrupted.tokens, self.start)
        self.clean_diff = float(self._diff(clean[names[1]][-1, -1]))
        self.corrupted_diff = float(self._diff(self._base[-1, -1]))
        self.gap = check_gap(self.clean_diff, self.corrupted_diff)

    def _diff(self, final: Tensor) -> Tensor:
        contrast = self.pair.contrast
        return self.subject.logit_diff(final, contrast.target_id, contrast.foil_id)

    def effects(
        self, chosen: Bool[Tensor, "layer d_mlp"], progress: Progress = silent
    ) -> Float[Tensor, " neuron"]:
        """Change of the logit difference, in logits, for the chosen neurons by layer and number.

        With many positions the neurons are worked off in several rounds, to bound memory.
        """
        width = max(1, ENTRY_TOKENS // self.delta.shape[1])
        effects = torch.zeros(chosen.shape, device=chosen.device)
        for begin in range(0, chosen.shape[1], width):
            some = torch.zeros_like(chosen)
            some[:, begin : begin + width] = chosen[:, begin : begin + width]
            end = min(begin + width, chosen.shape[1])
            part = part_of(progress, begin / chosen.shape[1], end / chosen.shape[1])
            finals = self._tail.finals(partial(self._entering, some), part)
            effects[some] = self._diff(finals) - self.corrupted_diff
        return effects[chosen]

    def effects_beside(
        self, chosen: Bool[Tensor, "layer d_mlp"], held: Neuron
    ) -> Float[Tensor, " neuron"]:
        """The same with one neuron held at its unpatched activation: what does not run through it.

        The held neuron itself, where it is chosen, is patched as ever.
        """
        activations = self._activations[held.layer, :, held.number]
        with self._tail.holding(held.layer, held.number, activations):
            return self.effects(chosen)

    def _entering(
        self, chosen: Bool[Tensor, "layer d_mlp"], layer: int
    ) -> Float[Tensor, "neuron suffix d_model"]:
        """Residuals that leave the layer before, each with one of its chosen neurons patched."""
        if layer == 0:
            return self._base[0][None][:0]
        picked = chosen[layer - 1].nonzero()[:, 0]
        write = self.subject.W_out(layer - 1)[picked]
        change = self.delta[layer - 1][:, picked].T[..., None] * write[:, None]
        before = self.subject.before_norm(layer - 1, self._activations[layer - 1])
        return self._base[layer - 1] + self.subject.added(layer - 1, before, change)

    def recoveries(
        self, chosen: Bool[Tensor, "layer d_mlp"], progress: Progress = silent
    ) -> Float[Tensor, " neuron"]:
        """The same as a share of clean minus corrupted."""
        return self.effects(chosen, progress) / self.gap

    def null_recoveries(self) -> Float[Tensor, " layer"]:
        """Recovery of patches that change nothing, behind each layer: 0 but for rounding."""
        n_layers = self.subject.n_layers

        def entering(layer: int) -> Tensor:
            return self._base[max(layer - 1, 0)][None][: int(layer > 0)]

        finals = self._tail.finals(entering)
        assert len(finals) == n_layers
        return (self._diff(finals) - self.corrupted_diff) / self.gap
