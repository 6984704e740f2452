"""Patches neurons, each alone or whole sets of them, from the clean into the corrupted run."""

import copy
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.engines.tail import Change, Tail
from analysis.neuron import Neuron
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair, check_gap
from analysis.subject import Subject

Positions = Literal["last", "all"]

ENTRY_TOKENS = 32_768
"""Patched tokens that may stand ready to enter a layer: bounds memory for long suffixes."""

SET_TOKENS = 8192
"""The same for sets, whose changes are made of whole layers of activations."""


class NeuronPatcher:
    """Patches chosen neurons of one pair with the rest of the pass untouched.

    Attributes:
        delta: what a patched neuron's activation has more than in the corrupted run, [layer suffix
            d_mlp]: by itself that of the clean run.
        activations: of the corrupted run, [layer suffix d_mlp].

    Raises:
        UserError: the prompts do not differ in their logit difference.
    """

    def __init__(self, subject: Subject, pair: PromptPair, positions: Positions = "last") -> None:
        self.subject, self.pair, self.positions = subject, pair, positions
        suffix = pair.suffix if positions == "all" else 1
        clean, corrupted = (
            Tail(subject, prompt.tokens, len(prompt.tokens) - suffix)
            for prompt in (pair.clean, pair.corrupted)
        )
        self._tail, self._other_tail = corrupted, clean
        self.activations = self._activations(corrupted)
        self.delta = self._activations(clean) - self.activations
        self._base = self._behind(corrupted)
        self.clean_diff = float(self._diff(clean.base.leaving[0, -1]))
        self.corrupted_diff = float(self._diff(self._base[-1, -1]))
        self.gap = check_gap(self.clean_diff, self.corrupted_diff)

    @property
    def engine(self) -> str:
        """How a patch is computed: from the patched position on, or in whole sequences."""
        return "exact, whole sequences" if self._tail.whole else "exact"

    def _activations(self, tail: Tail) -> Float[Tensor, "layer suffix d_mlp"]:
        return torch.cat(tail.base.activations)[:, tail.start :]

    @staticmethod
    def _behind(tail: Tail) -> Float[Tensor, "layer suffix d_model"]:
        return tail.base.behind[:, tail.start :]

    @property
    def start(self) -> int:
        """First patched position of the run that is patched."""
        return self._tail.start

    def _diff(self, final: Tensor) -> Tensor:
        return self.pair.contrast.read(self.subject, final)

    def swapped(self) -> "NeuronPatcher":
        """The patcher that puts corrupted activations into the clean run: it noises."""
        other = copy.copy(self)
        other.pair, other.gap = self.pair.swapped, -self.gap
        other.delta, other.activations = -self.delta, self._activations(self._other_tail)
        other._tail, other._other_tail = self._other_tail, self._tail
        other._base = self._behind(other._tail)
        other.clean_diff, other.corrupted_diff = self.corrupted_diff, self.clean_diff
        return other

    def putting(self, values: Float[Tensor, "layer suffix d_mlp"]) -> "NeuronPatcher":
        """The patcher that puts these activations in place of the clean run's: it ablates."""
        other = copy.copy(self)
        other.delta = values.to(self.activations) - self.activations
        return other

    def effects(
        self, chosen: Bool[Tensor, "layer d_mlp"], progress: Progress = silent
    ) -> Float[Tensor, " neuron"]:
        """Change of the logit difference, in logits, for the chosen neurons by layer and number.

        Each is patched alone. With many positions the neurons are worked off in several rounds, to
        bound memory.
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

    def _entering(
        self, chosen: Bool[Tensor, "layer d_mlp"], layer: int
    ) -> Float[Tensor, "neuron suffix d_model"]:
        """Residuals that leave the layer before, each with one of its chosen neurons patched."""
        if layer == 0:
            return self._base[0][None][:0]
        picked = chosen[layer - 1].nonzero()[:, 0]
        write = self.subject.W_out(layer - 1)[picked]
        return self._left(layer - 1, self.delta[layer - 1][:, picked].T[..., None] * write[:, None])

    def _left(
        self, layer: int, change: Float[Tensor, "patch suffix d_model"]
    ) -> Float[Tensor, "patch suffix d_model"]:
        """The residual that leaves a layer whose MLP writes so much more."""
        before = self.subject.before_norm(layer, self.activations[layer])
        return self._base[layer] + self.subject.added(layer, before, change)

    def recoveries(
        self, chosen: Bool[Tensor, "layer d_mlp"], progress: Progress = silent
    ) -> Float[Tensor, " neuron"]:
        """The same as a share of clean minus corrupted."""
        return self.effects(chosen, progress) / self.gap

    def set_effects(
        self,
        patched: Bool[Tensor, "set layer *suffix d_mlp"],
        frozen: Bool[Tensor, "set layer *suffix d_mlp"] | None = None,
        progress: Progress = silent,
    ) -> Float[Tensor, " set"]:
        """Change of the logit difference, in logits, with all neurons of a set patched at once.

        All else is computed again behind them; a neuron of the set keeps the value that it is
        patched to, whatever the earlier ones would have made of it. A set enters the pass behind
        its first patched layer.

        Args:
            patched: the neurons of every set, at all positions of the patcher or at some.
            frozen: neurons that keep their unpatched activation meanwhile: what is lost by that
                had run through them.
            progress: told the finished fraction.
        """
        held = torch.zeros_like(patched) if frozen is None else frozen & ~patched
        sets = [each if each.ndim == 4 else each[:, :, None] for each in (patched, held)]
        layers = sets[0].flatten(2).any(-1)
        effects = torch.zeros(len(patched), device=patched.device)
        order = layers.int().argmax(1).argsort(stable=True)
        order = order[layers.any(1)[order]]
        rounds = torch.split(order, max(1, SET_TOKENS // self.delta.shape[1]))
        for done, some in enumerate(rounds):
            part = part_of(progress, done / len(rounds), (done + 1) / len(rounds))
            effects[some] = self._together(sets[0][some], sets[1][some], part)
        return effects

    @torch.inference_mode()
    def _together(
        self,
        patched: Bool[Tensor, "set layer place d_mlp"],
        held: Bool[Tensor, "set layer place d_mlp"],
        progress: Progress,
    ) -> Float[Tensor, " set"]:
        """``set_effects`` of a few sets, those with the earliest layers first."""
        first = patched.flatten(2).any(-1).int().argmax(1)

        def entering(layer: int) -> Tensor:
            own = patched[first == layer - 1, layer - 1]  # of no set where layer is 0
            return self._left(
                layer - 1, (own * self.delta[layer - 1]) @ self.subject.W_out(layer - 1)
            )

        def changes(layer: int, some: slice) -> Change | None:
            put, kept = patched[some, layer], held[some, layer]
            if not (put.any() or kept.any()):
                return None
            own = self.activations[layer]
            return lambda seen: torch.where(
                put, own + self.delta[layer], torch.where(kept, own, seen)
            )

        return self._diff(self._tail.finals(entering, progress, changes)) - self.corrupted_diff

    def sets(self, members: Iterable[Sequence[Neuron]]) -> Bool[Tensor, "set layer d_mlp"]:
        """Sets of neurons as ``set_effects`` takes them."""
        listed = list(members)
        shape = (len(listed), self.subject.n_layers, self.subject.d_mlp)
        sets = torch.zeros(shape, dtype=torch.bool, device=self.subject.device)
        for row, neurons in zip(sets, listed, strict=True):
            for neuron in neurons:
                row[neuron] = True
        return sets

    def null_recoveries(self) -> Float[Tensor, " layer"]:
        """Recovery of patches that change nothing, behind each layer: 0 but for rounding."""
        n_layers = self.subject.n_layers

        def entering(layer: int) -> Tensor:
            return self._base[max(layer - 1, 0)][None][: int(layer > 0)]

        finals = self._tail.finals(entering)
        assert len(finals) == n_layers
        return (self._diff(finals) - self.corrupted_diff) / self.gap
