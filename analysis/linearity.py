"""Where what neurons and heads write is no sum that can be taken apart, or compared by weights."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.errors import UserError
from analysis.neuron import Neuron
from analysis.prompts import Prompt
from analysis.subject import Subject


def check_linear(subject: Subject) -> None:
    """Refuse a model in which what is written, and the logits, are no sum of parts.

    Raises:
        UserError: norms behind attention or MLPs, or a cap on the logits, stand in the way.
    """
    family = subject.family
    if family.mlp_post is not None or family.attn_written != family.attn_out:
        between = "has norms behind its attention and MLPs"
    elif subject.read_out.cap is not None:
        between = "caps its logits"
    else:
        return
    raise UserError(f"{subject.origin.name} {between}, so its parts do not add up to the whole.")


def check_comparable(subject: Subject) -> None:
    """Refuse a model whose neurons' weights cannot be compared from layer to layer.

    Raises:
        UserError: a norm behind each MLP, whose scale depends on the text, stands in the way.
    """
    if subject.family.mlp_post is not None:
        raise UserError(
            f"{subject.origin.name} has a norm behind each MLP, whose scale depends on the text, so"
            " the weights of neurons of different layers cannot be compared."
        )


class FrozenWrites:
    """What neurons add to the residual stream, norms behind the MLPs frozen at a prompt's end.

    Attributes:
        frozen_at: the prompt, empty where there are no such norms.

    Raises:
        UserError: there are, and no prompt is given.
    """

    def __init__(self, subject: Subject, prompt: Prompt | None) -> None:
        if prompt is None:
            check_comparable(subject)
        self.subject = subject
        self.scales = None if prompt is None else _scales_behind(subject, prompt.tokens)
        self.frozen_at = "" if prompt is None or self.scales is None else prompt.text

    def layer(self, layer: int) -> Float[Tensor, "d_mlp d_model"]:
        """One layer's, a row for each neuron."""
        writes = self.subject.writes(layer)
        return writes if self.scales is None else writes / self.scales[layer]

    def of(self, neuron: Neuron) -> Float[Tensor, " d_model"]:
        """One neuron's."""
        return self.layer(neuron.layer)[neuron.number]


def _scales_behind(subject: Subject, tokens: Sequence[int]) -> Float[Tensor, " layer"] | None:
    """What the norm behind each MLP divides by at a prompt's last position; None without norms."""
    if subject.family.mlp_post is None:
        return None
    post = subject.cache(tokens, "mlp.hook_post")["mlp.hook_post"][:, -1]
    scales = []
    for layer, activations in enumerate(post):
        norm, before = subject.norm_behind(layer), subject.before_norm(layer, activations)
        assert norm is not None
        assert before is not None
        scales.append(norm.scale(before))
    return torch.stack(scales)
