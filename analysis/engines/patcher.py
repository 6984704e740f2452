"""Patches neurons, each alone or whole sets of them, from the clean into the corrupted run."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad

from analysis.engines.tail import Change, Tail
from analysis.neuron import Neuron
from analysis.progress import Progress, part_of, silent
from analysis.prompts import Prompt, PromptPair, check_gap, going_on
from analysis.subject import Subject

Positions = Literal["last", "all"]

ENTRY_TOKENS = 32_768
"""Patched tokens that may stand ready to enter a layer: bounds memory for long suffixes."""

SET_TOKENS = 8192
"""The same for sets, whose changes are made of whole layers of activations."""


class NeuronPatcher:
    """Patches chosen neurons of one pair with the rest of the pass untouched.

    Only positions of the prompt are patched. Where target or foil is several tokens long, what the
    prompt is made to go on with is computed again behind the patch, once for each text.

    Attributes:
        delta: what a patched neuron's activation has more than in the corrupted run, [layer suffix
            d_mlp]: by itself that of the clean run.
        activations: of the corrupted run, [layer suffix d_mlp].

    Raises:
        UserError: the prompts do not differ in their logit difference.
    """

    def __init__(self, subject: Subject, pair: PromptPair, positions: Positions = "last") -> None:
        self.subject, self.pair, self.positions = subject, pair, positions
        self._suffix = pair.suffix if positions == "all" else 1
        clean, corrupted = map(self._read, (pair.clean, pair.corrupted))
        self._tails, self._other_tails = corrupted, clean
        self.activations = self._activations(corrupted)
        self.delta = self._activations(clean) - self.activations
        self._bases = self._behind(corrupted)
        self.clean_diff, self.corrupted_diff = map(self._unpatched, (clean, corrupted))
        self.gap = check_gap(self.clean_diff, self.corrupted_diff)

    @property
    def engine(self) -> str:
        """How a patch is computed: from the patched position on, or in whole sequences."""
        return "exact, whole sequences" if self._tails[0].whole else "exact"

    def _read(self, prompt: Prompt) -> list[Tail]:
        """The prompt with each text that it has to go on with, from the first patch on."""
        start = len(prompt.tokens) - self._suffix
        texts = going_on(self.subject, prompt, self.pair.contrast)
        return [
            Tail(self.subject, tokens, start, each.places)
            for tokens, each in zip(texts, self.pair.contrast.passes, strict=True)
        ]

    def _activations(self, tails: list[Tail]) -> Float[Tensor, "layer suffix d_mlp"]:
        """At the patched positions, which are the same whatever follows."""
        start = tails[0].start
        return torch.cat(tails[0].base.activations)[:, start : start + self._suffix]

    @staticmethod
    def _behind(tails: list[Tail]) -> list[Float[Tensor, "layer pos d_model"]]:
        return [tail.base.behind[:, tail.start :] for tail in tails]

    @property
    def start(self) -> int:
        """First patched position of the run that is patched."""
        return self._tails[0].start

    def _unpatched(self, tails: list[Tail]) -> float:
        return float(self._diff([tail.base.leaving[0, -tail.places :] for tail in tails]))

    def _diff(self, finals: Sequence[Float[Tensor, "*patch _place d_model"]]) -> Tensor:
        return self.pair.contrast.read_forced(self.subject, finals)

    def swapped(self) -> "NeuronPatcher":
        """The patcher that puts corrupted activations into the clean run: it noises."""
        other = copy.copy(self)
        other.pair, other.gap = self.pair.swapped, -self.gap
        other.delta, other.activations = -self.delta, self._activations(self._other_tails)
        other._tails, other._other_tails = self._other_tails, self._tails
        other._bases = self._behind(other._tails)
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
        width = max(1, ENTRY_TOKENS // self._resumed)
        effects = torch.zeros(chosen.shape, device=chosen.device)
        for begin in range(0, chosen.shape[1], width):
            some = torch.zeros_like(chosen)
            some[:, begin : begin + width] = chosen[:, begin : begin + width]
            end = min(begin + width, chosen.shape[1])
            part = part_of(progress, begin / chosen.shape[1], end / chosen.shape[1])
            finals = [
                tail.ends(partial(self._entering, some, number), tail_progress)
                for number, tail, tail_progress in self._numbered(part)
            ]
            effects[some] = self._diff(finals) - self.corrupted_diff
        return effects[chosen]

    @property
    def _resumed(self) -> int:
        """Positions that a patch takes with it, what the prompt goes on with among them."""
        return max(base.shape[1] for base in self._bases)

    def _numbered(self, progress: Progress) -> Iterator[tuple[int, Tail, Progress]]:
        """Each text's number and tail, and whom to tell of its progress."""
        many = len(self._tails)
        for number, tail in enumerate(self._tails):
            yield number, tail, part_of(progress, number / many, (number + 1) / many)

    def _entering(
        self, chosen: Bool[Tensor, "layer d_mlp"], number: int, layer: int
    ) -> Float[Tensor, "neuron pos d_model"]:
        """Residuals that leave the layer before, each with one of its chosen neurons patched."""
        if layer == 0:
            return self._bases[number][0][None][:0]
        picked = chosen[layer - 1].nonzero()[:, 0]
        write = self.subject.W_out(layer - 1)[picked]
        change = self.delta[layer - 1][:, picked].T[..., None] * write[:, None]
        return self._left(number, layer - 1, change)

    def _left(
        self, number: int, layer: int, change: Float[Tensor, "patch suffix d_model"]
    ) -> Float[Tensor, "patch pos d_model"]:
        """The residual that leaves a layer whose MLP writes so much more in the prompt."""
        before = self.subject.before_norm(layer, self.activations[layer])
        added, base = self.subject.added(layer, before, change), self._bases[number][layer]
        return base + pad(added, (0, 0, 0, len(base) - self._suffix))

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
        rounds = torch.split(order, max(1, SET_TOKENS // self._resumed))
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

        def entering(number: int, layer: int) -> Tensor:
            own = patched[first == layer - 1, layer - 1]  # of no set where layer is 0
            change = (own * self.delta[layer - 1]) @ self.subject.W_out(layer - 1)
            return self._left(number, layer - 1, change)

        def changes(layer: int, some: slice) -> Change | None:
            put, kept = patched[some, layer], held[some, layer]
            if not (put.any() or kept.any()):
                return None
            own = self.activations[layer]

            def change(seen: Float[Tensor, "patch pos d_mlp"]) -> Tensor:
                here = torch.where(kept, own, seen[:, : self._suffix])
                here = torch.where(put, own + self.delta[layer], here)
                return torch.cat([here, seen[:, self._suffix :]], 1)

            return change

        finals = [
            tail.ends(partial(entering, number), tail_progress, changes)
            for number, tail, tail_progress in self._numbered(progress)
        ]
        return self._diff(finals) - self.corrupted_diff

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

        def entering(number: int, layer: int) -> Tensor:
            return self._bases[number][max(layer - 1, 0)][None][: int(layer > 0)]

        finals = [tail.ends(partial(entering, i)) for i, tail in enumerate(self._tails)]
        assert all(len(each) == n_layers for each in finals)
        return (self._diff(finals) - self.corrupted_diff) / self.gap
