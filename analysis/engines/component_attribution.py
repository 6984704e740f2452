"""The same estimate from one gradient as for neurons, for every value of heads and MLPs."""

from contextlib import ExitStack
from functools import partial

import torch
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.components import STAGES, Components, Stage, Values
from analysis.subject import Subject


def attribute_values(
    subject: Subject,
    tokens: tuple[int, ...],
    contrast: Contrast,
    own: Components,
    other: Components,
) -> Values:
    """First-order estimate of what it does to put each value of another run into this one, alone.

    The gradient at this run times the difference of the values (Nanda, "Attribution Patching:
    Activation Patching At Industrial Scale", 2023).

    Args:
        subject: the model.
        tokens: the prompt of this run.
        contrast: target and foil.
        own: this run.
        other: the run whose values are put in.

    Returns:
        Estimated change of the logit difference, in logits.
    """
    added: dict[Stage, list[Tensor]] = {stage: [] for stage in STAGES}

    def watch(stage: Stage, seen: Tensor) -> Tensor:
        """Nothing is added, but the gradient by it is that by the value."""
        added[stage].append(torch.zeros_like(seen, requires_grad=True))
        return seen + added[stage][-1]

    family = subject.family
    watches = {"z": family.heads, "activations": family.activations}
    with ExitStack() as opened, torch.enable_grad():
        for block in subject.blocks:
            for stage in STAGES:
                opened.enter_context(watches[stage](block, partial(watch, stage)))
        last = subject.model(subject.batch(tokens), use_cache=False).logits[0, -1]
        leaves = [leaf for stage in STAGES for leaf in added[stage]]
        found = iter(torch.autograd.grad(contrast.of(last), leaves))
    return {
        stage: [
            next(found)[0, own.start :] * (theirs - mine)
            for mine, theirs in zip(own.values[stage], other.values[stage], strict=True)
        ]
        for stage in STAGES
    }
