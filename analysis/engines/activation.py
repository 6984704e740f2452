"""Whether a neuron's activation is the activation function of what it reads, and no more.

Some architectures have functions with weights of their own, or a norm behind them.
"""

from collections.abc import Sequence

import torch

from analysis.engines.tail import disagreement, tolerance
from analysis.errors import UnsuitedError
from analysis.subject import Subject


@torch.inference_mode()
def check_activation(subject: Subject, tokens: Sequence[int]) -> None:
    """Make a text's activations of what its neurons read, and compare.

    Raises:
        UnsuitedError: they are not the model's own.
    """
    gated = subject.family.gated
    names = ("mlp.hook_post", "mlp.hook_pre", "mlp.hook_pre_linear")[: 2 + gated]
    post, read, *linear = subject.cache(tokens, *names).values()
    activated = subject.activation(read)
    found = activated * linear[0] if gated else activated
    if not disagreement(found, post) <= tolerance(subject):
        raise UnsuitedError(
            f"Neurons of {subject.origin.name} are more than an activation function of what they"
            " read, so what they read cannot be scaled or split."
        )
