"""Prompts that begin alike, read at their ends with a neuron as it is and with it ablated.

What they have in common is read once. Only the last token is run twice: the neuron is exchanged
there alone. What a prompt is made to go on with is run on from there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.continuation import exchanged
from analysis.neuron import Neuron
from analysis.prompts import check_length
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
    activation, logit_diff, ablated = found.T[:3]
    return Ends(activation, logit_diff, ablated, found[:, 3:])


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
    cache = _before_the_last(subject, ids)
    if cache is not None:
        cache.batch_repeat_interleave(2)
    keeps = torch.tensor([1.0, 0.0], device=subject.device).repeat(len(ids))
    last = ids[:, -1:].repeat_interleave(2, 0)
    with exchanged(subject, neuron, keeps, (1 - keeps) * value) as seen:
        out = subject.model(last, past_key_values=cache, use_cache=True)
    logits = subject.finite(out.logits[:, -1], "logits").float()
    diffs = contrast.of(logits)
    found = torch.stack([seen[0][::2, -1].float(), diffs[::2], diffs[1::2]], -1)
    if not forced.tokens:
        return found
    return torch.cat([found, _following(subject, out.past_key_values, len(ids), forced)], -1)


def _following(
    subject: Subject, cache: Any, prompts: int, forced: Forced
) -> Float[Tensor, "prompt group"]:
    """Go on from the ends of prompts: every other row of the cache has the neuron as it is."""
    cache.batch_select_indices(torch.arange(0, 2 * prompts, 2, device=subject.device))
    behind = torch.tensor(forced.tokens, device=subject.device).expand(prompts, -1)
    out = subject.model(behind, past_key_values=cache, use_cache=True, logits_to_keep=1)
    shares = subject.finite(out.logits[:, -1], "logits").float().softmax(-1)
    return (shares @ forced.groups.to(shares).T).log()


def _before_the_last(subject: Subject, ids: Int[Tensor, "prompt pos"]) -> Any:
    """Keys and values of all tokens but the last; what prompts have in common is read once."""
    alike = (ids[:, :-1] == ids[:1, :-1]).all(0).long()
    common = int(alike.cumprod(0).sum())
    cache = None
    if common:
        cache = subject.model.base_model(ids[:1, :common], use_cache=True).past_key_values
        cache.batch_repeat_interleave(len(ids))
    if ids.shape[1] - 1 > common:
        between = ids[:, common:-1]
        out = subject.model.base_model(between, past_key_values=cache, use_cache=True)
        cache = out.past_key_values
    return cache
