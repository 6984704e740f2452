"""Pairs of prompts that choose neurons together."""

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.engines.attribution import attribute_neurons
from analysis.engines.patcher import NeuronPatcher, Positions
from analysis.errors import UserError
from analysis.neuron import Neuron
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair
from analysis.subject import Subject


class Selection:
    """The pairs that choose: recoveries are sums of effects over the sum of the gaps.

    So a pair that the model tells apart better counts for more, as it does where others confirm.
    A pair that the model does not tell apart, or the other way round than the question's own,
    cannot choose with it: gaps of either sign would make a sum of nothing.

    Attributes:
        patchers: one for each of the other pairs, the question's own first.
        gaps: their clean minus corrupted logit differences.

    Raises:
        UserError: the model does not tell the question's own pair apart.
    """

    def __init__(
        self, subject: Subject, pair: PromptPair, also: Sequence[PromptPair], positions: Positions
    ) -> None:
        self.patchers = [NeuronPatcher(subject, pair, positions)]
        for other in also:
            with suppress(UserError):
                patcher = NeuronPatcher(subject, other, positions)
                if patcher.gap * self.patchers[0].gap > 0:
                    self.patchers.append(patcher)
        self.gaps = np.array([patcher.gap for patcher in self.patchers], dtype=np.float32)

    @property
    def gap(self) -> float:
        """Sum of the gaps, in logits."""
        return float(sum(patcher.gap for patcher in self.patchers))

    def attribution(self) -> Float[Tensor, "layer d_mlp"]:
        """The first-order estimate of every recovery."""
        estimates = [
            attribute_neurons(each.subject, each.pair, each.delta, each.start)
            for each in self.patchers
        ]
        return torch.stack(estimates).sum(0) / self.gap

    def recoveries(
        self, chosen: Bool[Tensor, "layer d_mlp"], progress: Progress = silent
    ) -> Float[Tensor, " neuron"]:
        """Of the chosen neurons, each patched alone in every pair, by layer and number."""
        steps = [i / len(self.patchers) for i in range(len(self.patchers) + 1)]
        effects = [
            each.effects(chosen, part_of(progress, *steps[i : i + 2]))
            for i, each in enumerate(self.patchers)
        ]
        return torch.stack(effects).sum(0) / self.gap

    def changes(self) -> Float[Tensor, "layer d_mlp"]:
        """Of each neuron's changes of activation at the patched positions the largest, averaged."""
        return torch.stack([_largest(each.delta.float()) for each in self.patchers]).mean(0)

    def noise(self) -> float:
        """Largest recovery, in size, of a patch that changes nothing."""
        return max(float(each.null_recoveries().abs().max()) for each in self.patchers)


def _largest(changes: Float[Tensor, "layer pos d_mlp"]) -> Float[Tensor, "layer d_mlp"]:
    """Of each neuron's changes at the patched positions the largest in size, with its sign."""
    place = changes.abs().argmax(1, keepdim=True)
    return changes.gather(1, place)[:, 0]


def candidate_effects(
    patcher: NeuronPatcher, candidates: Sequence[Neuron]
) -> Float[np.ndarray, "3 candidate"]:
    """Of each candidate alone, in logits.

    What denoising with it adds, what noising with it takes from the clean answer, and what
    denoising adds with the first candidate held at its unpatched activation.
    """
    alone = patcher.sets([neuron] for neuron in candidates)
    held = patcher.sets([[candidates[0]]] * len(candidates))
    effects = (
        patcher.set_effects(alone),
        -patcher.swapped().set_effects(alone),
        patcher.set_effects(alone, held),
    )
    return torch.stack(effects).cpu().numpy()
