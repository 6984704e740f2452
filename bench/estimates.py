"""Estimates of every neuron's patch that are told of more than attribution, for ``bench.screens``.

Each takes a patcher and gives what patching each neuron alone should do to the logit difference.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from analysis.engines.attribution import attribute_neurons, neuron_gradients
from analysis.engines.patcher import NeuronPatcher
from analysis.family import called_with, part, share_weights
from analysis.norms import Norm, read_norm
from analysis.subject import Subject

Estimate = Callable[[NeuronPatcher], Float[Tensor, "layer d_mlp"]]


def attribution(patcher: NeuronPatcher) -> Float[Tensor, "layer d_mlp"]:
    """The gradient on the corrupted prompt: the default of the screened sweep."""
    return attribute_neurons(patcher.subject, patcher.pair, patcher.delta, patcher.start)


def integrated(points: int, patcher: NeuronPatcher) -> Float[Tensor, "layer d_mlp"]:
    """Gradients averaged along the straight line from corrupted to clean embeddings.

    By the trapezoidal rule, both prompts included (Hanna et al., "Have Faith in Faithfulness: Going
    Beyond Circuit Overlap When Finding Model Mechanisms", 2024).
    """
    subject, pair = patcher.subject, patcher.pair
    prompts = [pair.corrupted] * (points - 1) + [pair.clean]
    tokens = torch.cat([subject.batch(prompt.tokens) for prompt in prompts])
    shares = torch.linspace(0, 1, points, device=subject.device, dtype=subject.dtype)

    def between(
        block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Tensor], dict[str, Any]]:
        resid, named = called_with(block, args, kwargs)
        return (torch.lerp(resid[:1], resid[-1:], shares[:, None, None]),), named

    handle = subject.blocks[0].register_forward_pre_hook(between, with_kwargs=True)
    try:
        gradients = neuron_gradients(subject, tokens, pair.contrast)[:, :, patcher.start :]
    finally:
        handle.remove()
    weights = torch.ones_like(shares)
    weights[[0, -1]] = 0.5
    mean = torch.einsum("r,lrpn->lpn", weights / weights.sum(), gradients)
    return (mean * patcher.delta).sum(1).float()


def relevance(patcher: NeuronPatcher) -> Float[Tensor, "layer d_mlp"]:
    """Relevance patching: attribution with propagation coefficients in place of gradients.

    Jafari et al., "RelP: Faithful and Efficient Circuit Discovery via Relevance Patching", 2025.
    """
    subject, pair = patcher.subject, patcher.pair
    with propagating(subject) as model:
        tokens = subject.batch(pair.corrupted.tokens)
        gradients = neuron_gradients(subject, tokens, pair.contrast, model)
    return (gradients[:, 0, patcher.start :] * patcher.delta).sum(1).float()


ESTIMATES: dict[str, Estimate] = {
    "attribution": attribution,
    **{f"integrated gradients, {n} points": partial(integrated, n) for n in (2, 5, 10)},
    "relevance patching": relevance,
}


def _held_pattern(module: nn.Module, query: Tensor, key: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Attention whose pattern is a constant."""
    return sdpa_attention_forward(module, query.detach(), key.detach(), *args, **kwargs)


AttentionInterface.register("held_pattern", _held_pattern)
AttentionMaskInterface.register("held_pattern", sdpa_mask)


@contextmanager
def propagating(subject: Subject) -> Iterator[PreTrainedModel]:
    """Inside, a model with the subject's weights and output, whose gradient propagates relevance.

    What multiplies a signal is taken as it was on the prompt: a norm's scale and an attention's
    pattern are constants, an activation function is the factor that it was, and of gate and up,
    which multiply each other, each gets half. All else is linear already.
    """
    model = share_weights(subject.model)
    model.config._attn_implementation = "held_pattern"
    with ExitStack() as held:
        for module in model.modules():
            if _is_norm(module, subject.d_model):
                norm = read_norm(module, subject.W_out(0)[0])
                held.callback(module.register_forward_hook(partial(_hold_scale, norm)).remove)
        for block in subject.family.layers(model):
            _hold_factors(subject, block, held)
        yield model


def _is_norm(module: nn.Module, d_model: int) -> bool:
    weight = getattr(module, "weight", None)
    return "norm" in type(module).__name__.lower() and weight is not None and len(weight) == d_model


def _hold_scale(norm: Norm, _: nn.Module, args: tuple[Tensor], output: Tensor) -> Tensor:
    """The norm's output, linear in what it reads."""
    passed = norm.pass_on(args[0])
    scale = passed.norm(dim=-1, keepdim=True) / (output - norm.bias).norm(dim=-1, keepdim=True)
    return passed / scale.detach() + norm.bias


def _hold_factors(subject: Subject, block: nn.Module, held: ExitStack) -> None:
    """Make the block's activations linear in what its neurons read."""
    paths = [path for path in (subject.family.mlp_gate, subject.family.mlp_in) if path]
    assert subject.family.mlp_in, "gate and up are one matrix"
    read: dict[str, Tensor] = {}

    def keep(path: str, _: nn.Module, _args: Any, output: Tensor) -> None:
        read[path] = output

    for path in paths:
        held.callback(part(block, path).register_forward_hook(partial(keep, path)).remove)

    def linear(post: Float[Tensor, "batch pos d_mlp"]) -> Tensor:
        shares = [_share(post, read[path].view(post.shape)) for path in paths]
        return torch.stack(shares).mean(0)

    held.enter_context(subject.family.activations(block, linear))


def _share(whole: Tensor, signal: Tensor) -> Tensor:
    """``whole``, as a constant times ``signal``; what is nothing hands nothing on."""
    factor = torch.where(signal == 0, 0.0, whole / signal)
    return factor.detach() * signal
