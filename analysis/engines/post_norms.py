"""Norms behind attention and MLPs (Gemma 2 and 3, OLMo 2): what is written comes through them.

With its scale frozen at one run's such a norm is linear, so that what each head and neuron writes
goes through it by itself. What a change of its scale does is a part of its own.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.family import part
from analysis.norms import Norm, read_norm
from analysis.subject import Subject


def behind_attention(subject: Subject, layer: int) -> Norm | None:
    """The norm between a block's attention and the residual stream, if there is one."""
    family = subject.family
    if family.attn_written == family.attn_out:
        return None
    return read_norm(part(subject.blocks[layer], family.attn_written), subject.W_E[0])


@torch.no_grad()
def attention_output(
    subject: Subject, layer: int, z: Float[Tensor, "*row width"]
) -> Float[Tensor, "*row d_model"]:
    """What a block's attention gives the norm behind it, of its heads' ``z`` side by side."""
    output: Tensor = part(subject.blocks[layer], subject.family.attn_out)(z)
    return output


def read_through(
    norm: Norm, outputs: Float[Tensor, "run d_model"], direction: Float[Tensor, " d_model"]
) -> tuple[Float[Tensor, " d_model"], Float[Tensor, " change"]]:
    """How a direction reads what enters a norm, and what the norm's scale does to that.

    Args:
        norm: the norm behind some outputs.
        outputs: of the unpatched run, at whose scale the norm is frozen, then of changed ones.
        direction: of the residual stream.

    Returns:
        The direction in front of the norm, and of every change what its own scale adds.
    """
    folded, scales = norm.fold(direction), norm.scale(outputs)
    return folded / scales[0], outputs[1:] @ folded * (1 / scales[1:] - 1 / scales[0])
