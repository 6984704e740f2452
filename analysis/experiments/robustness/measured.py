"""One neuron's patch in one pair, both ways, and its place among the likeliest neurons."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from analysis.engines.attribution import attribute_neurons
from analysis.engines.patcher import NeuronPatcher
from analysis.errors import UserError
from analysis.neuron import Neuron
from analysis.prompts import PromptPair
from analysis.subject import Subject

ANSWERS = ("clean", "corrupted", "denoised", "noised")
"""Logit differences: of either prompt, and of each with the neuron's activation from the other."""

SCREEN = 64
"""How many neurons are measured for a rank: those whose estimated recovery is largest in size."""


@dataclass(frozen=True)
class Measured:
    """What patching the neuron does, in logits, and its rank by recovery among the screened."""

    answers: Float[np.ndarray, "4"]
    rank: int
    best: str
    screened: int


def measure(subject: Subject, neuron: Neuron, pair: PromptPair, or_none: bool = False) -> Measured:
    """Patch the neuron, and those that attribution ranks highest, each alone.

    Args:
        subject: the model.
        neuron: the neuron, which is measured whatever its estimate.
        pair: the question.
        or_none: whether a pair that the model does not tell apart gives NaNs, not an error.

    Raises:
        UserError: the two prompts have the same logit difference.
    """
    try:
        patcher = NeuronPatcher(subject, pair)
    except UserError:
        if not or_none:
            raise
        return Measured(np.full(len(ANSWERS), np.nan, np.float32), 0, "", 0)
    estimate = attribute_neurons(subject, pair, patcher.delta, patcher.start)
    chosen = torch.zeros_like(estimate, dtype=torch.bool)
    count = min(SCREEN, estimate.numel())
    chosen.view(-1)[estimate.abs().flatten().topk(count).indices] = True
    alone = torch.zeros_like(chosen)
    alone[neuron] = chosen[neuron] = True
    effects = torch.full_like(estimate, -torch.inf)
    effects[chosen] = patcher.effects(chosen) * np.sign(patcher.gap)
    own = float(effects[neuron])
    place = int(effects.argmax())
    answers = (
        patcher.clean_diff,
        patcher.corrupted_diff,
        patcher.corrupted_diff + own * np.sign(patcher.gap),
        patcher.clean_diff + float(patcher.swapped().effects(alone)[0]),
    )
    return Measured(
        answers=np.array(answers, dtype=np.float32),
        rank=1 + int((effects > own).sum()),
        best=str(Neuron(place // effects.shape[1], place % effects.shape[1])),
        screened=int(chosen.sum()),
    )
