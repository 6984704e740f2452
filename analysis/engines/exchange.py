"""A prompt's last token run many times at once, each time with one neuron's activation exchanged.

All before the last token is read once; every row takes it up with the same keys and values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor
from transformers import Cache

from analysis.engines.continuation import exchanged
from analysis.neuron import Neuron
from analysis.subject import Subject


@dataclass(frozen=True)
class Answers:
    """What the model says after a prompt, row by row.

    Attributes:
        activation: the neuron's own at the last position, before the exchange.
        logits: of the next token.
        cache: keys and values of the whole prompt, for writing on.
    """

    activation: float
    logits: Float[Tensor, "row d_vocab"]
    cache: Cache


@torch.inference_mode()
def answers(
    subject: Subject,
    tokens: Sequence[int],
    neuron: Neuron,
    scale: Float[Tensor, " row"],
    shift: Float[Tensor, " row"],
) -> Answers:
    """The next token's logits with the neuron exchanged at the prompt's last position.

    Args:
        subject: the model; it is the same afterwards, whatever happens.
        tokens: the prompt, at least one token.
        neuron: whose activation becomes ``scale * activation + shift``.
        scale: one for each row.
        shift: one for each row.
    """
    *before, last = tokens
    cache = None
    if before:
        prefix = subject.model.base_model(subject.batch(before), use_cache=True)
        cache = prefix.past_key_values
        cache.batch_repeat_interleave(len(scale))
    ids = repeat(subject.batch([last]), "1 pos -> row pos", row=len(scale))
    with exchanged(subject, neuron, scale, shift) as seen:
        out = subject.model(ids, past_key_values=cache, use_cache=True)
    logits = subject.finite(out.logits[:, -1], "logits").float()
    return Answers(float(seen[0][0, -1]), logits, out.past_key_values)
