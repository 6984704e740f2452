"""Attribution patching: every neuron's patch estimated from one gradient."""

from contextlib import ExitStack
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from analysis.contrast import Contrast
from analysis.family import called_with
from analysis.prompts import PromptPair
from analysis.subject import Subject


def attribute_neurons(
    subject: Subject, pair: PromptPair, delta: Float[Tensor, "layer pos d_mlp"], start: int
) -> Float[Tensor, "layer d_mlp"]:
    """First-order estimate of what patching each neuron does to the logit difference.

    The gradient is taken on the corrupted prompt and multiplied by the change of activation
    (Nanda, "Attribution Patching: Activation Patching At Industrial Scale", 2023).

    Args:
        subject: the model.
        pair: the question.
        delta: clean minus corrupted activation of each neuron at positions ``start`` and later.
        start: first patched position.

    Returns:
        Estimated change of the logit difference, in logits.
    """
    tokens = subject.batch(pair.corrupted.tokens)
    gradient = neuron_gradients(subject, tokens, pair.contrast)[:, 0, start:]
    return (gradient * delta).sum(1).float()


def neuron_gradients(
    subject: Subject,
    tokens: Int[Tensor, "row pos"],
    contrast: Contrast,
    model: PreTrainedModel | None = None,
) -> Float[Tensor, "layer row pos d_mlp"]:
    """Of the logit difference at the end of each row by every activation.

    Where target or foil is several tokens long, of the difference of their logarithms: one gradient
    for each text that the prompts have to go on with, added up.

    Args:
        subject: the model.
        tokens: prompts of one length.
        contrast: target and foil.
        model: what gradients are taken through, of the subject's family; its own if not given.
    """
    model, length = model or subject.model, tokens.shape[1]
    found = []
    for number, each in enumerate(contrast.passes):
        behind = tokens.new_tensor(each.tokens).expand(len(tokens), -1)
        texts = torch.cat([tokens, behind], 1)
        found.append(_gradients(subject, model, texts, contrast, number)[:, :, :length])
    return sum(found[1:], start=found[0])


def _gradients(
    subject: Subject,
    model: PreTrainedModel,
    tokens: Int[Tensor, "row pos"],
    contrast: Contrast,
    number: int,
) -> Float[Tensor, "layer row pos d_mlp"]:
    """Of what one text gives of the metric, by every activation."""
    posts = list[Tensor]()
    blocks = subject.family.layers(model)

    def begin(
        block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Tensor], dict[str, Any]]:
        """Start the graph at the embeddings, since the weights ask for no gradient."""
        resid, named = called_with(block, args, kwargs)
        return (resid.detach().requires_grad_(),), named

    def keep(post: Tensor) -> Tensor:
        posts.append(post)
        return post  # the pass goes on with this very tensor, whatever shape the model gives it

    with ExitStack() as watched, torch.enable_grad():
        watched.callback(blocks[0].register_forward_pre_hook(begin, with_kwargs=True).remove)
        for block in blocks:
            watched.enter_context(subject.family.activations(block, keep))
        normed = model.base_model(tokens, use_cache=False)[0]
        places = contrast.passes[number].places
        metric = contrast.part(number, subject.read_out, normed[:, -places:])
        return torch.stack(torch.autograd.grad(metric.sum(), posts))
