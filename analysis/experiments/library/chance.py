"""What choosing the best of many neurons finds where there is nothing to find."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.engines.patcher import NeuronPatcher
from analysis.progress import Progress, silent

DRAWS = 20
"""Of either control."""

Order = Int[Tensor, " rank"]


def chance(
    estimates: Float[Tensor, "pair neuron"],
    best: int,
    others: Sequence[NeuronPatcher],
    screen: int,
    seed: int,
) -> dict[str, Any]:
    """What both controls recover on the pairs that confirm, the best neuron itself left out.

    To exchange the prompts of a pair turns, to first order, the sign of every neuron's effect on
    it; so labels are shuffled by turning the signs of half of the pairs.
    """
    generator = torch.Generator().manual_seed(seed)
    pairs, total = estimates.shape
    signs = torch.stack([_half_exchanged(pairs, generator) for _ in range(DRAWS)])
    shuffled = (signs.to(estimates) @ estimates).argmax(1)
    drawn = torch.stack([torch.randperm(total, generator=generator)[:screen] for _ in range(DRAWS)])
    drawn = drawn.to(shuffled)
    likely = estimates.sum(0)
    likely[best] = -torch.inf  # or it could be its own rival
    random = drawn.gather(1, likely[drawn].argmax(1, keepdim=True))[:, 0]
    exchanged = torch.stack([_half_exchanged(len(others), generator) for _ in range(DRAWS)])
    gaps = torch.tensor([each.gap for each in others]).to(estimates)
    found: dict[str, Any] = {}
    for name, chosen, sides in (
        ("shuffled", shuffled, exchanged),
        ("random", random, torch.ones_like(exchanged)),
    ):
        effects = torch.stack([alone(each, chosen) for each in others], 1)
        sides = sides.to(gaps)
        share = (effects * sides).sum(1) / (sides.abs() @ gaps)
        found[name] = share.float().cpu().numpy()[None]
    return found


def _half_exchanged(pairs: int, generator: torch.Generator) -> Float[Tensor, " pair"]:
    """A sign for each pair: half of them, at random, are turned, and an odd one counts nothing."""
    signs = torch.ones(pairs)
    drawn, half = torch.randperm(pairs, generator=generator), pairs // 2
    signs[drawn[:half]] = -1
    signs[drawn[2 * half :]] = 0
    return signs


def alone(
    patcher: NeuronPatcher, neurons: Order, progress: Progress = silent
) -> Float[Tensor, " rank"]:
    """The effect of each neuron, patched alone, in the order given."""
    chosen = torch.zeros(patcher.delta[:, 0].numel(), dtype=torch.bool, device=neurons.device)
    chosen[neurons] = True
    shape = patcher.subject.n_layers, patcher.subject.d_mlp
    found = patcher.effects(chosen.view(shape), progress)
    return found[(chosen.cumsum(0) - 1)[neurons]]  # effects come by layer and number
