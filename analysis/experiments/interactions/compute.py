"""Experiment 23: what two neurons recover together, beside what each does alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.criteria import CLEAR_PAIR, MEDIATED, TOLERABLE
from analysis.engines.attribution import attribute_neurons
from analysis.engines.patcher import NeuronPatcher
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair
from analysis.result import Result
from analysis.subject import Subject

BEST = 30
"""Neurons that are patched in pairs."""

SHORTLIST = 200
"""Neurons that are patched alone, either way, to find them: those with the largest estimates."""

Kind = Literal["redundant", "additive", "synergistic"]


@dataclass(frozen=True)
class Interactions(Result):
    """What pairs of neurons recover together, at the last position.

    All numbers are shares of clean minus corrupted. The *excess* of a pair is what both recover
    together less what each recovers alone. What runs *through* a later neuron is what an earlier
    one recovers, less what it recovers while the later one is frozen at its corrupted activation.

    Attributes:
        clean: the clean prompt.
        corrupted: the corrupted prompt.
        target: the token asked for.
        foil: the token it competes with.
        clean_diff: logit difference of the clean prompt.
        corrupted_diff: logit difference of the corrupted prompt.
        neurons: by layer and number.
        recovery: of each alone.
        noising: what each alone takes from the clean run.
        together: recovery of each pair, a row and a column for every neuron; of one neuron with
            itself its own.
        frozen: recovery of the row's neuron while the column's is frozen; that of the row alone
            where the column's is not in a later layer.
        noise: largest excess, in size, of any of them with a neuron that is patched to the value
            it has: rounding.
    """

    clean: str
    corrupted: str
    target: str
    foil: str
    clean_diff: float
    corrupted_diff: float
    neurons: tuple[str, ...]
    recovery: Float[np.ndarray, " neuron"]
    noising: Float[np.ndarray, " neuron"]
    together: Float[np.ndarray, "neuron neuron"]
    frozen: Float[np.ndarray, "neuron neuron"]
    noise: float

    @cached_property
    def excess(self) -> Float[np.ndarray, "neuron neuron"]:
        """Of each pair, what both recover beyond the sum; 0 of a neuron with itself."""
        excess = self.together - self.recovery[:, None] - self.recovery
        np.fill_diagonal(excess, 0.0)
        return np.asarray(excess)

    @cached_property
    def through(self) -> Float[np.ndarray, "neuron neuron"]:
        """What the row's neuron recovers through the column's."""
        return np.asarray(self.recovery[:, None] - self.frozen)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Every pair once, the earlier neuron first."""
        count = len(self.neurons)
        return [(i, j) for i in range(count) for j in range(i + 1, count)]

    @property
    def least(self) -> float:
        """The smallest excess, in size, that is more than nothing."""
        return max(TOLERABLE, CLEAR_PAIR * self.noise)

    def kind(self, first: int, second: int) -> Kind:
        """Whether two neurons stand in for each other, add up, or need each other."""
        excess = self.excess[first, second]
        if abs(excess) < self.least:
            return "additive"
        return "redundant" if excess < 0 else "synergistic"

    def in_line(self, first: int, second: int) -> bool:
        """Whether the earlier acts through the later, and most of the excess is made by that.

        Patched together, the later one has its clean value in any case: what the earlier would have
        recovered through it is counted once where the sum counts it twice.
        """
        through, excess = self.through[first, second], -self.excess[first, second]
        return bool(abs(excess) >= self.least and through / excess > MEDIATED)


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Interactions:
    """The best neurons of the question's pair, two at a time."""
    return interactions(subject, inputs.question.pair(subject), progress=progress)


def interactions(
    subject: Subject,
    pair: PromptPair,
    neurons: Sequence[Neuron] = (),
    progress: Progress = silent,
) -> Interactions:
    """Patch every two of some neurons together.

    Args:
        subject: the model.
        pair: the question.
        neurons: which; by themselves the best by what they recover alone or by what is lost when
            they alone are corrupted: two that need each other recover nothing alone, but without
            either the clean run loses all.
        progress: told the finished fraction.
    """
    patcher = NeuronPatcher(subject, pair)
    back = patcher.swapped()
    chosen = sorted(neurons or _best(patcher, back, part_of(progress, 0, 0.3)))
    count = len(chosen)
    alone = patcher.sets([neuron] for neuron in chosen)
    rows, columns = (torch.from_numpy(each) for each in np.triu_indices(count, 1))
    later = rows[_layers(chosen)[rows] < _layers(chosen)[columns]]
    behind = columns[_layers(chosen)[rows] < _layers(chosen)[columns]]
    unchanged, nothing = _nothing(patcher, alone)
    patched = torch.cat([alone, alone[rows] | alone[columns], alone[later]])
    frozen = torch.zeros_like(patched)
    frozen[len(patched) - len(later) :] = alone[behind]
    found = patcher.set_effects(patched, frozen, part_of(progress, 0.3, 0.95)) / patcher.gap
    own, both, held = torch.split(found, [count, len(rows), len(later)])
    together, kept = torch.diag(own), own[:, None].repeat(1, count)
    together[rows, columns] = together[columns, rows] = both
    kept[later, behind] = held
    null = unchanged.set_effects(alone | nothing) / patcher.gap - own
    progress(1.0)
    return Interactions(
        clean=pair.clean.text,
        corrupted=pair.corrupted.text,
        target=pair.contrast.target,
        foil=pair.contrast.foil,
        clean_diff=patcher.clean_diff,
        corrupted_diff=patcher.corrupted_diff,
        neurons=tuple(map(str, chosen)),
        recovery=own.cpu().numpy(),
        noising=(back.set_effects(alone) / back.gap).cpu().numpy(),
        together=together.cpu().numpy(),
        frozen=kept.cpu().numpy(),
        noise=float(null.abs().max()),
    )


def _layers(neurons: Sequence[Neuron]) -> Int[Tensor, " neuron"]:
    return torch.tensor([neuron.layer for neuron in neurons])


def _best(patcher: NeuronPatcher, back: NeuronPatcher, progress: Progress) -> list[Neuron]:
    """Those that alone recover most, or that alone take most away."""
    shape = patcher.subject.n_layers, patcher.subject.d_mlp
    best = torch.full(shape, -torch.inf, device=patcher.subject.device)
    for done, way in enumerate((patcher, back)):
        estimate = attribute_neurons(way.subject, way.pair, way.delta, way.start) / way.gap
        chosen = torch.zeros_like(estimate, dtype=torch.bool)
        likely = estimate.flatten().topk(min(SHORTLIST, estimate.numel())).indices
        chosen.view(-1)[likely] = True
        found = way.recoveries(chosen, part_of(progress, done / 2, (done + 1) / 2))
        best[chosen] = torch.maximum(best[chosen], found)
    top = best.flatten().topk(min(BEST, best.numel())).indices.tolist()
    return [Neuron(*divmod(number, shape[1])) for number in top]


def _nothing(
    patcher: NeuronPatcher, alone: Bool[Tensor, "neuron layer d_mlp"]
) -> tuple[NeuronPatcher, Bool[Tensor, "layer d_mlp"]]:
    """A neuron of the first layer that is none of these, and a patcher that leaves it as it is."""
    nothing = torch.zeros_like(alone[0])
    free = (~alone[:, 0].any(0)).nonzero()[:1, 0]
    nothing[0, free] = True
    values = patcher.activations + patcher.delta
    values[0, :, free] = patcher.activations[0, :, free]
    return patcher.putting(values), nothing


def summary(result: Interactions) -> dict[str, Any]:
    """The result in plain values: the neurons, and every pair by the size of its excess."""
    order = sorted(result.pairs, key=lambda pair: -abs(result.excess[pair]))
    return {
        "target": result.target,
        "foil": result.foil,
        "clean_diff": result.clean_diff,
        "corrupted_diff": result.corrupted_diff,
        "noise": result.noise,
        "neurons": [
            {"neuron": name, "recovery": float(alone), "lost": float(lost)}
            for name, alone, lost in zip(
                result.neurons, result.recovery, result.noising, strict=True
            )
        ],
        "pairs": [pair_row(result, *pair) for pair in order],
    }


def pair_row(result: Interactions, first: int, second: int) -> dict[str, Any]:
    """One pair in plain values."""
    return {
        "neuron": result.neurons[first],
        "other": result.neurons[second],
        "alone": float(result.recovery[first]),
        "other_alone": float(result.recovery[second]),
        "together": float(result.together[first, second]),
        "excess": float(result.excess[first, second]),
        "through_other": float(result.through[first, second]),
        "kind": result.kind(first, second),
        "in_line": result.in_line(first, second),
    }
