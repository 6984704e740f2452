"""Attribution patching: every neuron's patch estimated from one gradient."""

import torch
from jaxtyping import Float
from torch import Tensor
from transformer_lens.tools.analysis.attribution_patching import cache_activation_and_gradient

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
    contrast = pair.contrast

    def metric(logits: Tensor) -> Tensor:
        return logits[0, -1, contrast.target_id] - logits[0, -1, contrast.foil_id]

    def watch(resid: Tensor, hook: object) -> Tensor:
        """Start the graph at the embeddings, since the weights ask for no gradient."""
        return resid.detach().requires_grad_()

    names = [f"blocks.{i}.mlp.hook_post" for i in range(subject.n_layers)]
    with torch.enable_grad(), subject.bridge.hooks([("blocks.0.hook_resid_pre", watch)]):
        cached = cache_activation_and_gradient(
            subject.bridge, subject.batch(pair.corrupted.tokens), metric, names
        )
    gradients = [cached.gradients[name] for name in names]
    assert all(gradient is not None for gradient in gradients)
    gradient = torch.stack([g[0, start:] for g in gradients if g is not None])
    return (gradient * delta).sum(1).float()
