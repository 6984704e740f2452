"""What a model writes on after a prompt while one neuron's output weights are scaled."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from einops import rearrange, repeat
from jaxtyping import Float, Int
from torch import Tensor, nn

from analysis.family import part
from analysis.neuron import Neuron
from analysis.subject import Subject


@contextmanager
def scaled(subject: Subject, neuron: Neuron, factors: Float[Tensor, " batch"]) -> Iterator[None]:
    """Within this, the plain model writes the neuron's activation times a factor per prompt.

    That is what scaling the neuron's output weights does; no weight is touched.
    """

    def scale(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        changed = inputs[0].clone()
        changed[..., neuron.number] *= factors[:, None].to(changed)
        return (changed,)

    blocks = list(part(subject.model, subject.family.blocks).children())
    handle = part(blocks[neuron.layer], subject.family.mlp_out).register_forward_pre_hook(scale)
    try:
        yield
    finally:
        handle.remove()


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
    with scaled(subject, neuron, scales):
        prompt = repeat(subject.batch(tokens), "1 pos -> factor pos", factor=len(scales))
        out = subject.model(prompt, use_cache=True)
    cache = out.past_key_values
    cache.batch_repeat_interleave(texts)
    logits = repeat(out.logits[:, -1], "factor v -> (factor text) v", text=texts)
    new = [_next(logits, samples, generator)][:length]
    with scaled(subject, neuron, repeat(scales, "factor -> (factor text)", text=texts)):
        while 0 < len(new) < length:
            out = subject.model(new[-1][:, None], past_key_values=cache, use_cache=True)
            new.append(_next(out.logits[:, -1], samples, generator))
    rows = torch.stack(new, -1) if new else prompt.new_zeros((len(scales) * texts, 0))
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
    return str(subject.tokenizer.decode(kept, clean_up_tokenization_spaces=False))
