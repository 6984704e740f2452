"""Prompts that begin alike, read at their ends with a neuron as it is and with it ablated.

What they have in common is read once. A prompt is read on from there in one pass, together with
what it may be made to go on with; only its last token is run again, since the neuron is exchanged
there alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import DynamicCache

from analysis.engines.continuation import exchanged
from analysis.neuron import Neuron
from analysis.prompts import Contrast, check_length
from analysis.subject import Subject

ROWS = 64
"""Prompts that are read at once: bounds memory."""


@dataclass(frozen=True)
class Forced:
    """What a prompt is made to go on with, and what is asked after it.

    Attributes:
        tokens: ids of what stands behind the prompt.
        groups: tokens, in groups, of which the next one may be.
    """

    tokens: tuple[int, ...]
    groups: Bool[Tensor, "group d_vocab"]


@dataclass(frozen=True)
class Ends:
    """What happens at the last position of every prompt.

    Attributes:
        activation: the neuron's own.
        logit_diff: logit(target) - logit(foil).
        ablated: the same with the neuron's activation replaced there.
        following: logarithm of the probability of each group after what the prompt is made to go
            on with; no columns where it is not.
    """

    activation: Float[np.ndarray, " prompt"]
    logit_diff: Float[np.ndarray, " prompt"]
    ablated: Float[np.ndarray, " prompt"]
    following: Float[np.ndarray, "prompt group"]


def ends(
    subject: Subject,
    prompts: Sequence[Sequence[int]],
    neuron: Neuron,
    value: float,
    contrast: Contrast,
    forced: Forced | None = None,
) -> Ends:
    """Read prompts at their ends.

    Args:
        subject: the model.
        prompts: token ids, at least one each; the more alike their beginnings the faster.
        neuron: whose activation is read and replaced.
        value: what replaces it.
        contrast: target and foil.
        forced: what each is made to go on with, if anything, the neuron as it is.

    Raises:
        UserError: a prompt with that behind it is longer than the model's context window.
    """
    groups = torch.zeros((0, subject.d_vocab), dtype=torch.bool)
    forced = forced or Forced((), groups)
    found = np.empty((len(prompts), 3 + len(forced.groups)), dtype=np.float32)
    for rows in _alike(prompts):
        check_length(subject, [*prompts[rows[0]], *forced.tokens], "prompt")
        some = _ends(subject, [prompts[row] for row in rows], neuron, value, contrast, forced)
        found[rows] = some.cpu().numpy()
    return Ends(found[:, 0], found[:, 1], found[:, 2], found[:, 3:])


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
    forced: Forced,
) -> Float[Tensor, "prompt column"]:
    """The fields of ``Ends`` for prompts of one length, side by side."""
    ids = torch.tensor([list(prompt) for prompt in prompts], device=subject.device)
    behind = torch.tensor(forced.tokens, dtype=torch.long, device=subject.device)
    once, more = torch.ones(len(ids), device=subject.device), 1 + len(behind)
    cache, common = _in_common(subject, ids)
    rest = torch.cat([ids[:, common:], behind.expand(len(ids), -1)], 1)
    with exchanged(subject, neuron, once, 0 * once) as seen:
        out = subject.model(rest, past_key_values=cache, use_cache=True, logits_to_keep=more)
    cache.crop(-more)  # the last token is run again
    with exchanged(subject, neuron, 0 * once, value * once):
        again = subject.model(ids[:, -1:], past_key_values=cache, use_cache=True)
    last, after = out.logits[:, 0], out.logits[:, -1].float().log_softmax(-1)
    outside = torch.where(forced.groups, 0.0, -torch.inf).to(subject.device)
    diffs = [_difference(subject, logits, contrast) for logits in (last, again.logits[:, -1])]
    masses = [(after + each).logsumexp(-1) for each in outside]
    return torch.stack([seen[0][:, -more].float(), *diffs, *masses], -1)


def _difference(
    subject: Subject, logits: Float[Tensor, "prompt d_vocab"], contrast: Contrast
) -> Float[Tensor, " prompt"]:
    logits = subject.finite(logits, "logits").float()
    return logits[:, contrast.target_id] - logits[:, contrast.foil_id]


def _in_common(subject: Subject, ids: Int[Tensor, "prompt pos"]) -> tuple[DynamicCache, int]:
    """Keys and values of what prompts have in common before their last token, and its length."""
    alike = (ids[:, :-1] == ids[:1, :-1]).all(0).long()
    common = int(alike.cumprod(0).sum())
    cache = DynamicCache()  # without a configuration: sliding windows, too, keep all they read
    if common:
        subject.model.base_model(ids[:1, :common], past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(len(ids))
    return cache, common
