"""What a model writes on after a prompt while one neuron's activation is changed on its way."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import torch
from einops import rearrange, repeat
from jaxtyping import Float, Int
from torch import Tensor
from transformers import Cache

from analysis.neuron import Neuron
from analysis.subject import Subject

Choose = Callable[[Float[Tensor, "row d_vocab"]], Int[Tensor, " row"]]
"""Picks the next token of every row from its logits."""


@contextmanager
def exchanged(
    subject: Subject,
    neuron: Neuron,
    scale: Float[Tensor, " row"],
    shift: Float[Tensor, " row"],
) -> Iterator[list[Float[Tensor, "row pos"]]]:
    """Within this, the plain model writes ``scale * activation + shift`` for the neuron.

    Each row of a batch has a scale and a shift of its own: 1 and 0 leave the neuron alone, 0 and
    a value put that value in its place. No weight is touched.

    Yields:
        the neuron's own activations, one entry for each pass made meanwhile.
    """
    seen: list[Tensor] = []

    def exchange(activations: Float[Tensor, "row pos d_mlp"]) -> Tensor:
        changed = activations.clone()
        own = activations[..., neuron.number]
        changed[..., neuron.number] = own * scale[:, None].to(own) + shift[:, None].to(own)
        seen.append(own)
        return changed

    with subject.family.activations(subject.blocks[neuron.layer], exchange):
        yield seen


def scaled(
    subject: Subject, neuron: Neuron, factors: Float[Tensor, " row"]
) -> AbstractContextManager[list[Float[Tensor, "row pos"]]]:
    """Within this, the plain model writes the neuron's activation times a factor per row.

    That is what scaling the neuron's output weights does.
    """
    return exchanged(subject, neuron, factors, torch.zeros_like(factors))


@torch.inference_mode()
def continue_rows(
    subject: Subject,
    neuron: Neuron,
    cache: Cache,
    first: Int[Tensor, " row"],
    scale: Float[Tensor, " row"],
    shifts: Float[Tensor, "row step"],
    choose: Choose,
) -> Int[Tensor, "row new_pos"]:
    """Write on from a first new token, one token a step, with the neuron exchanged at each.

    Args:
        subject: the model.
        neuron: whose activation is exchanged, as ``exchanged`` does it.
        cache: keys and values of everything before the first new token; it grows too.
        first: the first new token of every row.
        scale: of every row, the same at each step.
        shifts: of every row, step by step; there are as many steps as columns.
        choose: picks the next token.
    """
    new = [first]
    for shift in shifts.unbind(-1):
        with exchanged(subject, neuron, scale, shift):
            out = subject.model(new[-1][:, None], past_key_values=cache, use_cache=True)
        new.append(choose(subject.finite(out.logits[:, -1], "logits")))
    return torch.stack(new, -1)


@torch.inference_mode()
def continuations(
    subject: Subject,
    tokens: Sequence[int],
    neuron: Neuron,
    factors: Sequence[float],
    length: int,
    samples: int,
    seed: int,
) -> Int[Tensor, "factor text new_pos"]:
    """Token ids that follow a prompt under every factor: greedily, then sampled.

    The first text of each factor takes the likeliest token every time; the others are drawn at
    temperature 1. A draw adds Gumbel noise to the logits and takes the largest (Gumbel, 1954);
    the n-th sample has the same noise under every factor, so that they differ by the factor alone.

    Args:
        subject: the model.
        tokens: the prompt.
        neuron: whose output weights are scaled, at every position, new ones too.
        factors: what they are scaled by.
        length: new tokens; fewer where the context window ends.
        samples: sampled texts per factor.
        seed: of the noise.
    """
    length = min(length, subject.context - len(tokens))
    generator, texts = torch.Generator().manual_seed(seed), 1 + samples
    scales = torch.tensor(factors, device=subject.device)
    if length <= 0:
        empty = torch.zeros((len(scales), texts, 0), dtype=torch.long)
        return empty.to(subject.device)
    with scaled(subject, neuron, scales):
        prompt = repeat(subject.batch(tokens), "1 pos -> factor pos", factor=len(scales))
        out = subject.model(prompt, use_cache=True)
    cache = out.past_key_values
    cache.batch_repeat_interleave(texts)
    logits = repeat(
        subject.finite(out.logits[:, -1], "logits"), "factor v -> (factor text) v", text=texts
    )
    scales = repeat(scales, "factor -> (factor text)", text=texts)
    shifts = scales.new_zeros(len(scales), length - 1)
    choose = partial(_next, samples=samples, generator=generator)
    rows = continue_rows(subject, neuron, cache, choose(logits), scales, shifts, choose)
    return rearrange(rows, "(factor text) new -> factor text new", text=texts)


def _next(
    logits: Float[Tensor, "row d_vocab"], samples: int, generator: torch.Generator
) -> Int[Tensor, " row"]:
    """The likeliest token of every factor's first text, drawn ones for its others."""
    uniform = torch.rand(samples, logits.shape[-1], generator=generator).clamp_min(1e-30)
    noise = torch.cat([torch.zeros_like(uniform[:1]), -(-uniform.log()).log()])
    texts = rearrange(logits.float().cpu(), "(factor text) v -> factor text v", text=1 + samples)
    return rearrange((texts + noise).argmax(-1), "f text -> (f text)").to(logits.device)


def written(subject: Subject, tokens: Sequence[int]) -> str:
    """The text of new tokens, up to where the model ends it."""
    end = subject.tokenizer.eos_token_id
    kept = list(tokens[: tokens.index(end)]) if end in tokens else list(tokens)
    return subject.text(kept)
