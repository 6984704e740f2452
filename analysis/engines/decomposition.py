"""Takes a forward pass apart: what each component adds to anything that reads the residual stream.

What a neuron or a head's value reads is ``norm(x) @ weight + bias``. With the norm's scale frozen
at the value it has in the run, that is linear in the residual stream ``x``, and ``x`` is the sum of
what the embeddings, heads, MLPs and biases before it have written. So the reading splits exactly
into one part per component (Elhage et al., "A Mathematical Framework for Transformer Circuits",
2021, for the residual stream as a sum; frozen norms as in direct logit attribution). Where norms
stand behind attention and MLPs (Gemma 2 and 3), what goes through them is linear in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor, nn

from analysis.engines.post_norms import attention_output, behind_attention
from analysis.family import part
from analysis.linearity import check_reads_through_norms
from analysis.neuron import Neuron
from analysis.norms import Norm as NormModule
from analysis.norms import read_norm
from analysis.prompts import Prompt
from analysis.subject import Subject

Norm = Literal["ln1", "ln2"]
"""The norm before a block's attention, or before its MLP."""

Projection = Literal["gate", "up", "in"]
"""A gated MLP reads through two matrices, gate and up; a plain one through ``W_in`` alone."""

CONSTANT = "constant"
"""The part that no component writes: the reader's own bias and what the norm's bias gives it."""

_WRITTEN = ("hook_resid_pre", "hook_mlp_out", "attn.hook_z")
_INSIDE = ("attn.hook_v", "mlp.hook_in", "mlp.hook_post")


@dataclass(frozen=True)
class Readers:
    """Directions along which the normed residual stream is read: ``norm(x) @ weight + bias``.

    Attributes:
        layer: the block that reads.
        norm: which of its norms comes before.
        weight: one column a reader.
        bias: what is added, one a reader.
    """

    layer: int
    norm: Norm
    weight: Float[Tensor, "d_model reader"]
    bias: Float[Tensor, " reader"]

    def only(self, index: int) -> "Readers":
        """One of them."""
        return replace(self, weight=self.weight[:, [index]], bias=self.bias[[index]])


def projections(subject: Subject) -> tuple[Projection, ...]:
    """The matrices through which the MLP reads, the one under the activation function first."""
    return ("gate", "up") if subject.family.gated else ("in",)


def neuron_readers(subject: Subject, layer: int, numbers: Sequence[int]) -> Readers:
    """How neurons of one layer read: the columns of all of them, one projection after the other."""
    mlp = subject.bridge.blocks[layer].mlp
    sides = ["gate" if projection == "gate" else "in" for projection in projections(subject)]
    weights = [getattr(mlp, f"W_{side}").detach()[:, list(numbers)] for side in sides]
    biases = [_vector(mlp, f"b_{side}", subject.d_mlp)[list(numbers)] for side in sides]
    norm: Norm = "ln1" if subject.family.mlp_norm is None else "ln2"  # one for both, in parallel
    return Readers(layer, norm, torch.cat(weights, 1).cpu().double(), torch.cat(biases))


def preactivations(
    subject: Subject, prompt: Prompt, neuron: Neuron
) -> Float[Tensor, "projection pos"]:
    """What the neuron reads at every position, as the model itself computes it."""
    names = ["mlp.hook_pre_linear" if p == "up" else "mlp.hook_pre" for p in projections(subject)]
    cache = subject.cache(prompt.tokens, *names)
    return torch.stack([cache[n][neuron.layer, :, neuron.number] for n in names]).cpu().double()


class Decomposition:
    """One prompt's forward pass, ready to be split for any reader at any position.

    Raises:
        UnsuitedError: the model's neurons do not read through a norm.
    """

    def __init__(self, subject: Subject, prompt: Prompt) -> None:
        check_reads_through_norms(subject)
        self.subject, self.prompt = subject, prompt
        between = () if subject.family.parallel else ("hook_resid_mid",)
        self._cache = subject.cache(prompt.tokens, *_WRITTEN, *between)
        self._attention: dict[int, Float[Tensor, "layer head source"]] = {}
        self._norms: dict[tuple[int, int], tuple[NormModule | None, float]] = {}

    @cached_property
    def _inside(self) -> dict[str, Float[Tensor, "layer pos _"]]:
        """What only single heads and neurons need, read when first asked for."""
        return self.subject.cache(self.prompt.tokens, *_INSIDE)

    @cached_property
    def heads(self) -> int:
        """Attention heads per layer."""
        return len(self.subject.bridge.blocks[0].attn.W_O)

    def cosine(self, readers: Readers) -> Float[Tensor, "reader pos"]:
        """Cosine of what an MLP reads, the normed residual, with the readers' weights."""
        read = self._inside["mlp.hook_in"][readers.layer].cpu().double()
        products = read @ readers.weight / read.norm(dim=-1, keepdim=True)
        return (products / readers.weight.norm(dim=0)).T

    def activation(self, neuron: Neuron) -> Float[Tensor, " pos"]:
        """The neuron's activation, the input of the MLP's output weights."""
        return self._inside["mlp.hook_post"][neuron.layer, :, neuron.number].cpu().double()

    def components(self, layer: int, norm: Norm) -> tuple[str, ...]:
        """Names of all that has written before a reader, in order, ``constant`` last."""
        return (*(name for name, _ in self._writes(layer, norm, 0)), CONSTANT)

    def split(self, readers: Readers, pos: int) -> Float[Tensor, "component reader"]:
        """What each component contributes to each reading at a position; the parts sum to it."""
        written = torch.stack(
            [vector for _, vector in self._writes(readers.layer, readers.norm, pos)]
        )
        directions, constant = self.directions(readers, pos)
        return torch.cat([written @ directions, constant[None]])

    def directions(
        self, readers: Readers, pos: int
    ) -> tuple[Float[Tensor, "d_model reader"], Float[Tensor, " reader"]]:
        """The readers as plain directions of the residual stream, norm frozen, and constants.

        A LayerNorm also takes off the mean, which is linear and goes into the directions.
        """
        norm = getattr(self.subject.bridge.blocks[readers.layer], readers.norm)
        read = read_norm(norm.original_component, self.subject.W_E[0])
        first = readers.norm == "ln1" or self.subject.family.parallel
        resid = self._cache["hook_resid_pre" if first else "hook_resid_mid"][readers.layer, pos]
        scale = read.scale(resid).cpu().double()
        directions = read.fold(readers.weight.T).T
        constant = read.bias.cpu().double() @ readers.weight + readers.bias
        return directions / scale, constant

    def neurons(self, readers: Readers, pos: int) -> Float[Tensor, "layer d_mlp"]:
        """What each single earlier neuron contributes to the first reader: MLPs' parts, split."""
        direction = self.directions(readers, pos)[0][:, 0].to(
            self.subject.device, self.subject.dtype
        )
        post = self._inside["mlp.hook_post"]
        rows = [
            (post[layer, pos] * (self._per_unit(layer, pos) @ direction)).cpu().double()
            for layer in range(readers.layer)
        ]
        return torch.stack(rows) if rows else torch.zeros(0, self.subject.d_mlp).double()

    def sources(
        self, layer: int, head: int, readers: Readers, pos: int
    ) -> Float[Tensor, "source reader"]:
        """A head's part of each reading, split by the position that it takes it from."""
        read = self._values(layer, head) @ self._output(layer, head, pos)
        return self.attention(layer, head, pos)[:, None] * (read @ self.directions(readers, pos)[0])

    def attention(self, layer: int, head: int, pos: int) -> Float[Tensor, " source"]:
        """The head's attention from one position to all."""
        if pos not in self._attention:
            self._attention[pos] = self._attention_from(pos)
        return self._attention[pos][layer, head].cpu().double()

    def _attention_from(self, pos: int) -> Float[Tensor, "layer head source"]:
        """One position's row of every head: whole patterns grow with the square of the length."""
        rows: list[Tensor] = []

        def keep(pattern: Tensor, hook: object) -> Tensor:
            rows.append(pattern[0, :, pos].clone())
            return pattern

        hooks = [(f"blocks.{i}.attn.hook_pattern", keep) for i in range(self.subject.n_layers)]
        with torch.no_grad():
            self.subject.bridge.run_with_hooks(
                self.subject.batch(self.prompt.tokens), fwd_hooks=hooks, prepend_bos=False
            )
        return torch.stack(rows)

    def through(self, layer: int, head: int, readers: Readers, pos: int, source: int) -> Readers:
        """What the readers read of a source's residual stream through one head, attention frozen.

        Splitting these at ``source`` goes one step further back: the parts sum to the source's
        part of the head's.
        """
        attention = self.subject.bridge.blocks[layer].attn
        group = head * len(attention.W_V) // self.heads
        weight = attention.W_V[group].detach().cpu().double()
        bias = _vector(attention, "b_V", (len(attention.W_V), weight.shape[1]))[group]
        passed = self.attention(layer, head, pos)[source] * (
            self._output(layer, head, pos) @ self.directions(readers, pos)[0]
        )
        return Readers(layer, "ln1", weight @ passed, bias @ passed)

    def _values(self, layer: int, head: int) -> Float[Tensor, "pos d_head"]:
        d_head = self.subject.bridge.blocks[layer].attn.W_O[head].shape[0]
        values = rearrange(
            self._inside["attn.hook_v"][layer], "pos (group d) -> group pos d", d=d_head
        )
        return values[head * len(values) // self.heads].cpu().double()

    def _output(self, layer: int, head: int, pos: int) -> Float[Tensor, "d_head d_model"]:
        """A head's output weights, through the norm behind as it is at a position."""
        output: Tensor = self.subject.bridge.blocks[layer].attn.W_O[head].detach()
        return self._behind_attention(layer, pos, output * self.subject.residual_scale)

    def _per_unit(self, layer: int, pos: int) -> Float[Tensor, "d_mlp d_model"]:
        """What neurons write per unit of activation, through the norm behind as it is there."""
        norm, writes = self.subject.norm_behind(layer), self.subject.writes(layer)
        return writes if norm is None else writes / norm.scale(self._mlp_output(layer, pos))

    def _mlp_output(self, layer: int, pos: int) -> Float[Tensor, " d_model"]:
        """What an MLP gives the norm behind it."""
        output = self.subject.before_norm(layer, self._inside["mlp.hook_post"][layer, pos])
        assert output is not None
        return output

    def _behind_attention(
        self, layer: int, pos: int, writes: Float[Tensor, "*row d_model"]
    ) -> Float[Tensor, "*row d_model"]:
        """What heads write, as it comes through the norm behind attention, if there is one."""
        if (layer, pos) not in self._norms:
            self._norms[layer, pos] = self._norm_behind_attention(layer, pos)
        norm, scale = self._norms[layer, pos]
        return (writes if norm is None else norm.pass_on(writes) / scale).cpu().double()

    def _norm_behind_attention(self, layer: int, pos: int) -> tuple[NormModule | None, float]:
        """The norm behind a block's attention, if any, and what it divides by at a position."""
        norm = behind_attention(self.subject, layer)
        if norm is None:
            return None, 1.0
        output = attention_output(self.subject, layer, self._cache["attn.hook_z"][layer, pos])
        return norm, float(norm.scale(output))

    def _writes(
        self, layer: int, norm: Norm, pos: int
    ) -> list[tuple[str, Float[Tensor, " d_model"]]]:
        """Every component that has written before a reader, and what it wrote at a position.

        Biases of all layers are one part each; what an architecture lacks is no part.
        """
        token = self._cache["hook_resid_pre"][0, pos].cpu().double()
        named = [("embedding", token)]
        if self.subject.family.positions:
            own = self.subject.W_E[self.prompt.tokens[pos]].cpu().double()
            named = [("embedding", own), ("position", token - own)]
        blocks = list(self.subject.bridge.blocks)
        attending = layer + (norm == "ln2" and not self.subject.family.parallel)
        for block in range(attending):
            named += self._head_writes(block, pos)
            named += [(f"MLP {block}", self._mlp_write(block, pos))] if block < layer else []
        biases = (
            ("attention biases", "attn", "b_O", attending),
            ("MLP biases", "mlp", "b_out", layer),
        )
        for name, side, bias, count in biases:
            if count and getattr(getattr(blocks[0], side), bias, None) is not None:
                added = [_vector(getattr(block, side), bias, 0) for block in blocks[:count]]
                if side == "attn":
                    added = [self._behind_attention(i, pos, each) for i, each in enumerate(added)]
                named.append((name, torch.stack(added).sum(0) * self.subject.residual_scale))
        return named

    def _mlp_write(self, block: int, pos: int) -> Float[Tensor, " d_model"]:
        if self.subject.family.mlp_post is not None:
            behind = part(self.subject.blocks[block], self.subject.family.mlp_post)
            with torch.no_grad():
                written: Tensor = behind(self._mlp_output(block, pos))
            return written.cpu().double()
        bias = _vector(self.subject.bridge.blocks[block].mlp, "b_out", self.subject.d_model)
        bias = bias * self.subject.residual_scale
        return self._cache["hook_mlp_out"][block, pos].cpu().double() - bias

    def _head_writes(self, block: int, pos: int) -> list[tuple[str, Float[Tensor, " d_model"]]]:
        z = rearrange(self._cache["attn.hook_z"][block, pos], "(head d) -> head d", head=self.heads)
        output = self.subject.bridge.blocks[block].attn.W_O.detach() * self.subject.residual_scale
        writes = einsum(z, output, "head d, head d d_model -> head d_model")
        passed = self._behind_attention(block, pos, writes)
        return [(f"L{block}H{head}", write) for head, write in enumerate(passed)]


def _vector(module: nn.Module, name: str, shape: int | tuple[int, ...]) -> Tensor:
    """A bias in double precision, zeros where the architecture has none."""
    bias = getattr(module, name, None)
    return torch.zeros(shape).double() if bias is None else bias.detach().cpu().double()
