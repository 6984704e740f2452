"""Prompts that begin alike, read at their ends with a neuron as it is and with it ablated.

What they have in common is read once. Only the last token is run twice: the neuron is exchanged
there alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from analysis.engines.continuation import exchanged
from analysis.neuron import Neuron
from analysis.prompts import Contrast
from analysis.subject import Subject

ROWS = 64
"""Prompts that are read at once: bounds memory."""


@dataclass(frozen=True)
class Ends:
    """What happens at the last position of every prompt.

    Attributes:
        activation: the neuron's own.
        logit_diff: logit(target) - logit(foil).
        ablated: the same with the neuron's activation replaced there.
    """

    activation: Float[np.ndarray, " prompt"]
    logit_diff: Float[np.ndarray, " prompt"]
    ablated: Float[np.ndarray, " prompt"]


def ends(
    subject: Subject,
    prompts: Sequence[Sequence[int]],
    neuron: Neuron,
    value: float,
    contrast: Contrast,
) -> Ends:
    """Read prompts at their ends.

    Args:
        subject: the model.
        prompts: token ids, at least one each; the more alike their beginnings the faster.
        neuron: whose activation is read and replaced.
        value: what replaces it.
        contrast: target and foil.
    """
    found = np.empty((3, len(prompts)), dtype=np.float32)
    for rows in _alike(prompts):
        some = _ends(subject, [prompts[row] for row in rows], neuron, value, contrast)
        found[:, rows] = some.cpu().numpy()
    return Ends(*found)


def _alike(prompts: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Places of prompts of one length, at most ``ROWS`` at a time."""
    for length in sorted(set(map(len, prompts))):
        places = [place for place, prompt in enumerate(prompts) if len(prompt) == length]
        for start in range(0, len(places), ROWS):
            yield places[start : start + ROWS]


@torch.inference_mode()
def _ends(
    subject: Subject,
    prompts: Sequence[Sequence[int]],
    neuron: Neuron,
    value: float,
    contrast: Contrast,
) -> Float[Tensor, "3 prompt"]:
    """The three rows of ``Ends`` for prompts of one length."""
    ids = torch.tensor([list(prompt) for prompt in prompts], device=subject.device)
    columns = zip(*(prompt[:-1] for prompt in prompts), strict=True)
    common = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
    cache = None
    if common:
        cache = subject.model.base_model(ids[:1, :common], use_cache=True).past_key_values
        cache.batch_repeat_interleave(len(ids))
    if ids.shape[1] - 1 > common:
        between = ids[:, common:-1]
        out = subject.model.base_model(between, past_key_values=cache, use_cache=True)
        cache = out.past_key_values
    if cache is not None:
        cache.batch_repeat_interleave(2)
    keeps = torch.tensor([1.0, 0.0], device=subject.device).repeat(len(ids))
    last = ids[:, -1:].repeat_interleave(2, 0)
    with exchanged(subject, neuron, keeps, (1 - keeps) * value) as seen:
        logits = subject.model(last, past_key_values=cache, use_cache=True).logits[:, -1]
    logits = subject.finite(logits, "logits").float()
    diffs = logits[:, contrast.target_id] - logits[:, contrast.foil_id]
    return torch.stack([seen[0][::2, -1].float(), diffs[::2], diffs[1::2]])
