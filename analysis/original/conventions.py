"""The original study's conventions, reproduced exactly, on the plain GPT-2 weights.

Its library (TransformerLens of early 2023) folded every LayerNorm into the weights behind it and
took the mean off all that is written to the residual stream and off the unembedding. Nothing here
changes a weight: each function says which of these conventions its number depends on.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.reading import Change, Window, read
from analysis.family import part
from analysis.neuron import Neuron
from analysis.progress import Progress, silent
from analysis.prompts import Prompt
from analysis.subject import Subject

BLOCK = 512
"""Neurons whose products with the whole vocabulary are in memory at once."""


def centred_logits(
    subject: Subject, prompt: Prompt, changes: Mapping[int, Change] | None = None
) -> Float[Tensor, " d_vocab"]:
    """Logits after a prompt, their mean over the vocabulary taken off (centred unembedding).

    Args:
        subject: the model.
        prompt: the text.
        changes: by layer, what is done to the activations before they are written.
    """
    logits = read(subject, (Window(0, 0, prompt.tokens),), changes=changes).logits[-1]
    return logits - logits.mean()


def lens(subject: Subject, prompt: Prompt, contrast: Contrast) -> Float[Tensor, " half_layer"]:
    """The original's logit lens: every half layer's residual over the *final* residual's scale.

    It scaled all points by the norm of the last one (``apply_ln_to_stack`` at layer -1), where the
    logit lens proper gives each its own, and it left out the final norm's bias (``b_U``), so its
    last point is not the model's own logit difference.
    """
    names = ("hook_resid_pre", "hook_attn_out", "hook_mlp_out")
    last = {name: values[:, -1] for name, values in subject.cache(prompt.tokens, *names).items()}
    writes = torch.stack([last[names[1]], last[names[2]]], 1).flatten(0, 1)
    resid = torch.cat([last[names[0]][:1], writes]).cumsum(0)
    resid = resid - resid.mean(-1, keepdim=True)
    scale = (resid[-1].pow(2).mean() + float(subject.final_norm.eps)).sqrt()  # type: ignore[arg-type]
    return (resid / scale @ subject.direction(contrast.target_id, contrast.foil_id)).float()


def congruence(subject: Subject, neuron: Neuron) -> Float[Tensor, " d_vocab"]:
    """``W_out[n] @ W_E``, the output weights centred over ``d_model``: the embedding, not W_U."""
    return (subject.W_E @ _centred(subject.write(neuron))).float()


def input_congruence(subject: Subject, neuron: Neuron, token: int) -> float:
    """``W_in[:, n] @ W_E[token]``: the norm's gain folded in, the embedding centred."""
    gain, _ = _norm(subject, neuron.layer)
    weights = subject.bridge.blocks[neuron.layer].mlp.W_in.detach()[:, neuron.number]
    return float(_centred(subject.W_E[token]) @ (gain * weights))


def negated(post: Float[Tensor, "batch pos d_mlp"], number: int) -> Tensor:
    """The original's "ablation": the activation times minus one, at every position."""
    changed = post.clone()
    changed[..., number] *= -1
    return changed


def replaced(
    post: Float[Tensor, "batch pos d_mlp"], number: int, values: Float[Tensor, " pos"]
) -> Tensor:
    """The activation of one neuron set to given values."""
    changed = post.clone()
    changed[..., number] = values
    return changed


def flipped_input(subject: Subject, prompt: Prompt, neuron: Neuron) -> Float[Tensor, " pos"]:
    """Activations of a neuron whose input weights change their sign, and nothing else.

    In the folded weights the norm's bias belongs to ``b_in``, which keeps its sign: what was
    ``x @ W + b`` becomes ``b - x @ W``.
    """
    mlp = subject.bridge.blocks[neuron.layer].mlp
    _, shift = _norm(subject, neuron.layer)
    bias = mlp.b_in.detach()[neuron.number] + shift @ mlp.W_in.detach()[:, neuron.number]
    pre = subject.cache(prompt.tokens, "mlp.hook_pre")["mlp.hook_pre"]
    return subject.activation(2 * bias - pre[neuron.layer, :, neuron.number])


class MutualPairs(NamedTuple):
    """Best and second-best congruences over the whole model.

    Attributes:
        token_gap: best minus second-best neuron of each token.
        neuron: the best neuron of each token, layer by layer in one count.
        neuron_gap: best minus second-best token of each neuron.
        token: the best token of each neuron.
    """

    token_gap: Float[Tensor, " d_vocab"]
    neuron: Int[Tensor, " d_vocab"]
    neuron_gap: Float[Tensor, " neuron"]
    token: Int[Tensor, " neuron"]

    def score(self, neuron: int) -> float:
        """Product of both gaps if neuron and token are each other's best; NaN if not."""
        token = int(self.token[neuron])
        if int(self.neuron[token]) != neuron:
            return float("nan")
        return float(self.neuron_gap[neuron] * self.token_gap[token])


def mutual_pairs(subject: Subject, progress: Progress = silent) -> MutualPairs:
    """The congruence of every neuron with every token, in blocks; only the best two are kept."""
    best = torch.full((2, subject.d_vocab), -torch.inf, device=subject.device)
    place = torch.zeros((2, subject.d_vocab), dtype=torch.long, device=subject.device)
    gaps, tokens, embedding = [], [], subject.W_E
    for layer in range(subject.n_layers):
        for start in range(0, subject.d_mlp, BLOCK):
            write = _centred(subject.W_out(layer)[start : start + BLOCK])
            products = (write @ embedding.T).float()
            top = products.topk(2, dim=1)
            gaps.append(top.values[:, 0] - top.values[:, 1])
            tokens.append(top.indices[:, 0])
            here = products.topk(min(2, len(products)), dim=0)
            offset = layer * subject.d_mlp + start
            both = torch.cat([best, here.values]), torch.cat([place, here.indices + offset])
            best, order = both[0].topk(2, dim=0)
            place = both[1].gather(0, order)
        progress((layer + 1) / subject.n_layers)
    return MutualPairs(best[0] - best[1], place[0], torch.cat(gaps), torch.cat(tokens))


def _centred(vectors: Float[Tensor, "*row d_model"]) -> Float[Tensor, "*row d_model"]:
    return vectors - vectors.mean(-1, keepdim=True)


def _norm(
    subject: Subject, layer: int
) -> tuple[Float[Tensor, " d_model"], Float[Tensor, " d_model"]]:
    """Gain and bias of the LayerNorm before an MLP."""
    assert subject.family.mlp_norm is not None, "GPT-2 has a norm before its MLP"
    norm = part(subject.blocks[layer], subject.family.mlp_norm)
    return norm.get_parameter("weight").detach(), norm.get_parameter("bias").detach()
