"""Neurons to compare a neuron with: of its own layer, the nearest in activation."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.engines.reading import Window, batches, read
from analysis.neuron import Neuron
from analysis.prompts import Prompt
from analysis.subject import Subject


def matched_neurons(
    subject: Subject, neuron: Neuron, prompts: Sequence[Prompt], count: int
) -> list[Neuron]:
    """The neurons of the same layer whose activation norm is nearest to this one's.

    The norm is the root mean square of the activation at the last position of the prompts, either
    sign. Nearest first; at most as many as the layer has.
    """
    strength = _strengths(subject, neuron.layer, prompts)
    distance = (
        strength.clamp_min(1e-9).log() - strength[neuron.number].clamp_min(1e-9).log()
    ).abs()
    distance[neuron.number] = torch.inf
    nearest = distance.argsort(stable=True)[: min(count, subject.d_mlp - 1)]
    return [Neuron(neuron.layer, number) for number in nearest.tolist()]


NEAR = 10
"""A matched set takes each neuron from among so many of those that are nearest in activation."""


def matched_orders(
    strength: Float[Tensor, "layer d_mlp"], order: Int[Tensor, " rank"], draws: int, seed: int
) -> Int[Tensor, "draw rank"]:
    """Orders of other neurons that have, rank by rank, the same layer and about the activation.

    Each is drawn from the nearest that are neither of the order nor taken before; where the layer
    has no others left, from any that are not taken.

    Args:
        strength: size of each neuron's activation.
        order: neurons by their number in the whole model.
        draws: how many orders.
        seed: of the draws.
    """
    logs = strength.clamp_min(1e-9).log().cpu().numpy()
    width, generator = logs.shape[1], np.random.default_rng(seed)
    members = set(order.tolist())
    nearest = []
    for number in order.tolist():
        layer, own = divmod(number, width)
        ranked = np.abs(logs[layer] - logs[layer, own]).argsort(kind="stable") + layer * width
        nearest.append(sorted(ranked.tolist(), key=members.__contains__))
    found = []
    for _ in range(draws):
        taken: dict[int, None] = {}
        for others in nearest:
            free = [each for each in others if each not in taken]
            spare = [each for each in free[:NEAR] if each not in members] or free[:1]
            taken[spare[generator.integers(len(spare))]] = None
        found.append(list(taken))
    return torch.tensor(found, device=order.device)


def _strengths(subject: Subject, layer: int, prompts: Sequence[Prompt]) -> torch.Tensor:
    """Root mean square activation of every neuron of a layer at the prompts' last positions."""
    total = torch.zeros(subject.d_mlp, device=subject.device)
    for batch in batches(Window(i, 0, prompt.tokens) for i, prompt in enumerate(prompts)):
        reading = read(subject, batch, [layer], logits=False)
        lengths = reading.window.bincount()
        total += (reading.activations[layer][lengths.cumsum(0) - 1].float() ** 2).sum(0)
    return (total / len(prompts)).sqrt().clamp_min(1e-9)
