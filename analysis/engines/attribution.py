"""Attribution patching: every neuron's patch estimated from one gradient."""

import torch
from jaxtyping import Float
from torch import Tensor

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
    posts: list[Tensor] = []

    def watch(resid: Tensor, hook: object) -> Tensor:
        """Start the graph at the embeddings, since the weights ask for no gradient."""
        return resid.detach().requires_grad_()

    def keep(post: Tensor, hook: object) -> Tensor:
        posts.append(post)
        return post  # the pass goes on with this very tensor, whatever shape the model gives it

    hooks = [(f"blocks.{i}.mlp.hook_post", keep) for i in range(subject.n_layers)]
    with torch.enable_grad():
        logits = subject.bridge.run_with_hooks(
            subject.batch(pair.corrupted.tokens),
            fwd_hooks=[("blocks.0.hook_resid_pre", watch), *hooks],
            prepend_bos=False,
        )
        last = logits[0, -1]
        gradients = torch.autograd.grad(pair.contrast.of(last), posts)
    gradient = torch.stack([each[0, start:] for each in gradients])
    return (gradient * delta).sum(1).float()
