"""Neurons to compare a neuron with: of its own layer, and about as active."""

from collections.abc import Sequence

import torch

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


def _strengths(subject: Subject, layer: int, prompts: Sequence[Prompt]) -> torch.Tensor:
    """Root mean square activation of every neuron of a layer at the prompts' last positions."""
    total = torch.zeros(subject.d_mlp, device=subject.device)
    for batch in batches(Window(i, 0, prompt.tokens) for i, prompt in enumerate(prompts)):
        reading = read(subject, batch, [layer])
        lengths = reading.window.bincount()
        total += (reading.activations[layer][lengths.cumsum(0) - 1].float() ** 2).sum(0)
    return (total / len(prompts)).sqrt().clamp_min(1e-9)
