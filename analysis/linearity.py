"""Where what neurons and heads write is no sum that can be taken apart, or compared by weights."""

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.contrast import Contrast
from analysis.errors import UnsuitedError
from analysis.prompts import Prompt
from analysis.questions import Question
from analysis.subject import Subject


def check_reads_through_norms(subject: Subject) -> None:
    """Refuse a model whose MLPs read the residual stream itself, with norms behind them alone.

    Raises:
        UnsuitedError: they do (OLMo 2).
    """
    family = subject.family
    if family.mlp_norm is None and not family.parallel:
        raise UnsuitedError(
            f"{subject.origin.name} has norms behind its attention and MLPs and none before them,"
            " so what a neuron reads is split otherwise than here."
        )


def check_comparable(subject: Subject) -> None:
    """Refuse a model whose neurons' weights cannot be compared from layer to layer.

    Raises:
        UnsuitedError: a norm behind each MLP, whose scale depends on the text, stands in the way.
    """
    if subject.family.mlp_post is not None and subject.scales_behind is None:
        raise UnsuitedError(
            f"{subject.origin.name} has a norm behind each MLP, whose scale depends on the text, so"
            " the weights of neurons of different layers cannot be compared without a prompt."
        )


def frozen(subject: Subject, prompt: Prompt | None) -> Subject:
    """The model with the norms behind its MLPs frozen at a prompt's end, as the final norm is.

    What its neurons write can be compared then, as it is at that prompt; it runs as before. A model
    without such norms, and one that is given no prompt, is itself.
    """
    if prompt is None or subject.family.mlp_post is None:
        return subject
    twin = copy.copy(subject)  # with all that was read off it so far
    object.__setattr__(twin, "scales_behind", _scales_behind(subject, prompt.tokens))
    object.__setattr__(twin, "frozen_at", prompt.text)
    return twin


def weights_of_sets(
    subject: Subject, contrast: Contrast, prompt: Prompt | None
) -> Float[Tensor, " d_vocab"] | None:
    """Logits at a prompt's end, by which ``contrast.weighted`` weights the tokens of its sets.

    None where target and foil are single tokens, or there is no prompt.
    """
    if prompt is None or not contrast.has_sets:
        return None
    return subject.logits(prompt.tokens)[-1]


def comparable(subject: Subject, question: Question) -> Subject:
    """The same, frozen at the end of a question's clean prompt where it has one.

    Raises:
        UserError: that prompt is too long.
    """
    asks = subject.family.mlp_post is not None and question.clean
    return frozen(subject, question.prompt(subject)) if asks else subject


def _scales_behind(subject: Subject, tokens: Sequence[int]) -> Float[Tensor, " layer"]:
    """What the norm behind each MLP divides by at a prompt's last position."""
    post = subject.cache(tokens, "mlp.hook_post")["mlp.hook_post"][:, -1]
    scales = []
    for layer, activations in enumerate(post):
        norm, before = subject.norm_behind(layer), subject.before_norm(layer, activations)
        assert norm is not None
        assert before is not None
        scales.append(norm.scale(before))
    return torch.stack(scales)
