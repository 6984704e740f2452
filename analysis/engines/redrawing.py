"""The model that would have been rounded to this one: weights drawn anew within their steps."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.subject import Subject


@torch.no_grad()
def redraws(
    subject: Subject, steps: Mapping[str, Float[Tensor, "..."]], draws: int, seed: int = 0
) -> Iterator[Subject]:
    """The model again and again, each quantised weight drawn from all that are rounded to it.

    Uniformly, from half a step below to half a step above: before rounding a weight lay somewhere
    there, and the file tells no more. A draw overwrites the one before it, so look at each in its
    turn. The model itself is left as it is.

    Args:
        subject: the model.
        steps: by parameter, how far neighbouring values of each weight are apart.
        draws: how many.
        seed: of the random draws, which are made on the CPU, so that they are the same everywhere.
    """
    twin = copy.deepcopy(subject.model)
    own, again = (dict(model.named_parameters()) for model in (subject.model, twin))
    generator = torch.Generator().manual_seed(seed)
    for _ in range(draws):
        for name, step in steps.items():
            moved = torch.rand(step.shape, generator=generator).sub_(0.5).mul_(step)
            again[name].copy_(own[name] + moved.to(own[name]))
        yield replace(subject, model=twin)
