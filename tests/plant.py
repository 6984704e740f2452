"""Planted ground truth: a neuron that fires on the clean prompt alone and writes the target."""

import torch

from analysis.contrast import Contrast
from analysis.neuron import Neuron
from analysis.prompts import PromptPair
from analysis.subject import Subject

ON = 4.0  # pre-activation on the clean prompt: the activation functions pass it nearly unchanged
LOUD = 40.0  # length of the write, many times what the random layers write


def plant(subject: Subject, pair: PromptPair, neuron: Neuron, contrast: Contrast) -> None:
    """Rewrite one neuron's weights in place, before anything is cached from them."""
    mlp = subject.bridge.blocks[neuron.layer].mlp
    inputs = torch.stack(
        [_mlp_input(subject, p.tokens, neuron.layer) for p in (pair.clean, pair.corrupted)]
    )
    with torch.no_grad():
        if hasattr(mlp, "gate"):
            mlp.W_gate[:, neuron.number] = _solve(inputs, torch.tensor([ON, 0.0]))
            mlp.W_in[:, neuron.number] = _solve(inputs, torch.tensor([1.0, 0.0]))
        else:
            bias = 0 if mlp.b_in is None else mlp.b_in[neuron.number]
            mlp.W_in[:, neuron.number] = _solve(inputs, torch.tensor([ON, 0.0]) - bias)
        target, foil = contrast.weighted(subject.W_U, subject.logits(pair.clean.tokens)[-1])
        direction = target - foil
        mlp.W_out[neuron.number] = LOUD * direction / direction.norm()


def _mlp_input(subject: Subject, tokens: tuple[int, ...], layer: int) -> torch.Tensor:
    return subject.cache(tokens, "mlp.hook_in")["mlp.hook_in"][layer, -1]


def _solve(inputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The shortest weights whose products with the two inputs are the two values."""
    return torch.linalg.pinv(inputs) @ values
