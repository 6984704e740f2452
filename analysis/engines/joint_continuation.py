"""What a model writes on after a prompt at whose end sets of neurons have other activations."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.subject import Subject

TOKENS = 1024
"""Tokens of the prompt, over all sets, that pass at once: bounds memory."""


def continuations_with(
    subject: Subject,
    tokens: Sequence[int],
    values: Float[Tensor, "layer d_mlp"],
    sets: Bool[Tensor, "set layer d_mlp"],
    length: int,
) -> Int[Tensor, "set new_pos"]:
    """Token ids that follow a prompt under every set, the likeliest each time.

    Args:
        subject: the model.
        tokens: the prompt.
        values: activations that a set's neurons keep at the prompt's last position; new tokens
            are written by the model as it is.
        sets: the neurons of each set.
        length: new tokens; fewer where the context window ends.
    """
    length = min(length, subject.context - len(tokens))
    if length <= 0:
        return torch.zeros((len(sets), 0), dtype=torch.long, device=sets.device)
    rounds = torch.split(sets, max(1, TOKENS // len(tokens)))
    return torch.cat([_written(subject, tokens, values, some, length) for some in rounds])


@torch.inference_mode()
def _written(
    subject: Subject,
    tokens: Sequence[int],
    values: Float[Tensor, "layer d_mlp"],
    sets: Bool[Tensor, "set layer d_mlp"],
    length: int,
) -> Int[Tensor, "set new_pos"]:
    """``continuations_with`` of a few sets."""

    def put(layer: int, own: Float[Tensor, "set pos d_mlp"]) -> Tensor:
        changed = own.clone()
        changed[:, -1] = torch.where(sets[:, layer], values[layer].to(own), own[:, -1])
        return changed

    with ExitStack() as held:
        for layer, block in enumerate(subject.blocks):
            held.enter_context(subject.family.activations(block, partial(put, layer)))
        out = subject.model(subject.batch(tokens).repeat(len(sets), 1), use_cache=True)
    new: list[Tensor] = []
    while True:
        new.append(subject.finite(out.logits[:, -1], "logits").argmax(-1))
        if len(new) == length:
            return torch.stack(new, -1)
        cache = out.past_key_values
        out = subject.model(new[-1][:, None], past_key_values=cache, use_cache=True)
