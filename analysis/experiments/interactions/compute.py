"""Experiment 23: what two neurons recover together, beside what each does alone."""

from collections.abc import Sequence
from contextlib import suppress
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
from analysis.errors import UserError
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.numbers.estimates import Estimate
from analysis.pair_result import PairResult, pair_fields, pair_summary
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair
from analysis.subject import Subject

BEST = 30
"""Neurons that are patched in pairs."""

FEW = 10
"""Of these, those that recover most are patched in pairs on held-out prompts, too."""

SHORTLIST = 200
"""Neurons that are patched alone, either way, to find them: those with the largest estimates."""

Kind = Literal["redundant", "additive", "synergistic"]


@dataclass(frozen=True)
class Interactions(PairResult):
    """What pairs of neurons recover together, at the last position.

    All numbers are shares of clean minus corrupted. The *excess* of a pair is what both recover
    together less what each recovers alone. What runs *through* a later neuron is what an earlier
    one recovers, less what it recovers while the later one is frozen at its corrupted activation.

    Attributes:
        neurons: by layer and number.
        recovery: of each alone.
        noising: what each alone takes from the clean run.
        together: recovery of each pair, a row and a column for every neuron; of one neuron with
            itself its own.
        frozen: recovery of the row's neuron while the column's is frozen; that of the row alone
            where the column's is not in a later layer.
        noise: largest excess, in size, of any of them with a neuron that is patched to the value
            it has: rounding.
        few: places of the neurons that were patched in pairs elsewhere, too.
        held_out_excess: of each two of the few there, in logits.
    """

    neurons: tuple[str, ...]
    recovery: Float[np.ndarray, " neuron"]
    noising: Float[np.ndarray, " neuron"]
    together: Float[np.ndarray, "neuron neuron"]
    frozen: Float[np.ndarray, "neuron neuron"]
    noise: float
    few: Int[np.ndarray, " some"]
    held_out_excess: Float[np.ndarray, "pair some some"]

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

    def over_held_out(self, first: int, second: int) -> Estimate | None:
        """The excess of two neurons over the held-out pairs; None where it was not measured."""
        places = self.few.tolist()
        if not self.held_out or not {first, second} <= {*places}:
            return None
        excess = self.held_out_excess[:, places.index(first), places.index(second)]
        return self.over_pairs(excess)


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Interactions:
    """The best neurons of the question's pair, two at a time; its held-out pairs confirm some."""
    question = inputs.question
    held_out = question.held_out_pairs(subject, inputs["held_out"])
    return interactions(subject, question.pair(subject), held_out, progress=progress)


def interactions(
    subject: Subject,
    pair: PromptPair,
    held_out: Sequence[PromptPair] = (),
    neurons: Sequence[Neuron] = (),
    progress: Progress = silent,
) -> Interactions:
    """Patch every two of some neurons together.

    Args:
        subject: the model.
        pair: the question.
        held_out: pairs on which the best are patched again.
        neurons: which; by themselves the best by what they recover alone or by what is lost when
            they alone are corrupted: two that need each other recover nothing alone, but without
            either the clean run loses all.
        progress: told the finished fraction.
    """
    patcher = NeuronPatcher(subject, pair)
    back = patcher.swapped()
    chosen = sorted(neurons or _best(patcher, back, part_of(progress, 0, 0.3)))
    alone = patcher.sets([neuron] for neuron in chosen)
    found = _pairs(patcher, alone, _layers(chosen), part_of(progress, 0.3, 0.8))
    few = np.sort(np.argsort(-found["recovery"], kind="stable")[:FEW])
    best = [chosen[place] for place in few]
    confirmed = _confirm(subject, held_out, best, part_of(progress, 0.8, 1.0))
    progress(1.0)
    return Interactions(
        **pair_fields(pair, patcher.clean_diff, patcher.corrupted_diff),
        neurons=tuple(map(str, chosen)),
        noising=(back.set_effects(alone) / back.gap).cpu().numpy(),
        noise=_noise(patcher, alone, found["recovery"]),
        few=few,
        **found,
        **confirmed,
    )


def _pairs(
    patcher: NeuronPatcher,
    alone: Bool[Tensor, "neuron layer d_mlp"],
    layers: Int[Tensor, " neuron"],
    progress: Progress,
) -> dict[str, Any]:
    """Recovery of each neuron, of every two, and of the earlier with the later one frozen."""
    rows, columns = _twos(len(alone))
    behind = layers[rows] < layers[columns]
    later, kept = rows[behind], columns[behind]
    patched = torch.cat([alone, alone[rows] | alone[columns], alone[later]])
    frozen = torch.zeros_like(patched)
    frozen[len(patched) - len(later) :] = alone[kept]
    found = patcher.set_effects(patched, frozen, progress) / patcher.gap
    own, both, held = torch.split(found, [len(alone), len(rows), len(later)])
    together, rest = torch.diag(own), own[:, None].repeat(1, len(alone))
    together[rows, columns] = together[columns, rows] = both
    rest[later, kept] = held
    named = {"recovery": own, "together": together, "frozen": rest}
    return {name: values.cpu().numpy() for name, values in named.items()}


def _confirm(
    subject: Subject, pairs: Sequence[PromptPair], neurons: Sequence[Neuron], progress: Progress
) -> dict[str, Any]:
    """Excess of every two of some neurons on other pairs of prompts.

    Pairs whose two prompts the model does not tell apart are left out.
    """
    rows, columns = _twos(len(neurons))
    names: list[str] = []
    gaps: list[float] = []
    found = np.zeros((len(pairs), len(neurons), len(neurons)), np.float32)
    for done, pair in enumerate(pairs, 1):
        with suppress(UserError):
            patcher = NeuronPatcher(subject, pair)
            alone = patcher.sets([neuron] for neuron in neurons)
            effects = patcher.set_effects(torch.cat([alone, alone[rows] | alone[columns]]))
            own, both = torch.split(effects.cpu(), [len(neurons), len(rows)])
            excess = (both - own[rows] - own[columns]).numpy()
            found[len(names), rows, columns] = found[len(names), columns, rows] = excess
            names.append(f"{pair.clean.text} / {pair.corrupted.text}")
            gaps.append(patcher.gap)
        progress(done / len(pairs))
    return {
        "held_out": tuple(names),
        "held_out_gap": np.array(gaps, np.float32),
        "held_out_excess": found[: len(names)],
    }


def _twos(count: int) -> tuple[Int[Tensor, " two"], Int[Tensor, " two"]]:
    """Every two of so many, the earlier first."""
    rows, columns = torch.triu_indices(count, count, 1)
    return rows, columns


def _layers(neurons: Sequence[Neuron]) -> Int[Tensor, " neuron"]:
    return torch.tensor([neuron.layer for neuron in neurons])


def _best(patcher: NeuronPatcher, back: NeuronPatcher, progress: Progress) -> list[Neuron]:
    """Those that alone recover most, or that alone take most away."""
    shape = patcher.subject.n_layers, patcher.subject.d_mlp
    best = torch.full(shape, -torch.inf, device=patcher.subject.device)
    for done, each in enumerate((patcher, back)):
        estimate = attribute_neurons(each.subject, each.pair, each.delta, each.start) / each.gap
        chosen = torch.zeros_like(estimate, dtype=torch.bool)
        likely = estimate.flatten().topk(min(SHORTLIST, estimate.numel())).indices
        chosen.view(-1)[likely] = True
        found = each.recoveries(chosen, part_of(progress, done / 2, (done + 1) / 2))
        best[chosen] = torch.maximum(best[chosen], found)
    top = best.flatten().topk(min(BEST, best.numel())).indices.tolist()
    return [Neuron(*divmod(number, shape[1])) for number in top]


def _noise(
    patcher: NeuronPatcher,
    alone: Bool[Tensor, "neuron layer d_mlp"],
    recovery: Float[np.ndarray, " neuron"],
) -> float:
    """Largest excess with a neuron of the first layer that is patched to the value it has."""
    nothing = torch.zeros_like(alone[0])
    free = (~alone[:, 0].any(0)).nonzero()[:1, 0]
    nothing[0, free] = True
    values = patcher.activations + patcher.delta
    values[0, :, free] = patcher.activations[0, :, free]
    found = patcher.putting(values).set_effects(alone | nothing) / patcher.gap
    return float(np.abs(found.cpu().numpy() - recovery).max())


def summary(result: Interactions) -> dict[str, Any]:
    """The result in plain values: the neurons, and every pair by the size of its excess."""
    order = sorted(result.pairs, key=lambda pair: -abs(result.excess[pair]))
    return {
        **pair_summary(result),
        "noise": result.noise,
        "neurons": [
            {"neuron": name, "recovery": float(alone), "lost": float(lost)}
            for name, alone, lost in zip(
                result.neurons, result.recovery, result.noising, strict=True
            )
        ],
        "held_out": {
            "pairs": len(result.held_out),
            "neurons": [result.neurons[place] for place in result.few],
        },
        "pairs": [pair_row(result, *pair) for pair in order],
    }


def pair_row(result: Interactions, first: int, second: int) -> dict[str, Any]:
    """One pair in plain values."""
    confirmed = result.over_held_out(first, second)
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
        "held_out_excess": confirmed.mean if confirmed else None,
        "held_out_interval": [confirmed.low, confirmed.high] if confirmed else None,
    }
