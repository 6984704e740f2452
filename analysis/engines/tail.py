"""The exact engine: resume a forward pass after any layer, on the positions that changed.

A patch at position ``start`` or later leaves everything before it as it was. So the pass is taken
up in the middle: only the suffix of positions from ``start`` on goes through the remaining blocks,
for many patches at once, against the unpatched prompt's keys and values of the prefix. The blocks
are the transformers model's own; only their attention function is exchanged for one that knows
that the whole batch shares its prefix.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from transformers import AttentionInterface

from analysis.family import part
from analysis.progress import Progress, silent
from analysis.subject import Subject, share_weights

CHUNK_TOKENS = 1024
"""Tokens that go through a block at once: bounds memory, and large enough for full speed."""

Prefix = tuple[
    Float[Tensor, "layer group prefix d_head"], Float[Tensor, "layer group prefix d_head"]
]


def shared_prefix_attention(
    module: nn.Module,
    query: Float[Tensor, "batch head suffix d_head"],
    key: Float[Tensor, "batch group suffix d_head"],
    value: Float[Tensor, "batch group suffix d_head"],
    attention_mask: Tensor | None,
    *,
    scaling: float,
    prefix: Prefix,
    **_: Any,
) -> tuple[Float[Tensor, "batch suffix head d_head"], None]:
    """Causal attention of suffixes to one common prefix and, each, to itself.

    One matrix product serves the prefix for the whole batch, so its keys are never copied.
    """
    batch, _head, suffix, _d_head = query.shape
    layer = int(module.layer_idx)  # type: ignore[arg-type]  # set by transformers, an int
    keys, values = (side[layer] for side in prefix)
    query = rearrange(query * scaling, "b (g r) s d -> g (b r s) d", g=keys.shape[0])
    to_prefix = rearrange(query @ keys.mT, "g (b r s) p -> b g r s p", b=batch, s=suffix)
    query = rearrange(query, "g (b r s) d -> b g (r s) d", b=batch, s=suffix)
    to_self = rearrange(query @ key.mT, "b g (r s) t -> b g r s t", s=suffix)
    hidden = torch.ones(suffix, suffix, dtype=torch.bool, device=query.device).triu(1)
    scores = torch.cat([to_prefix, to_self.masked_fill(hidden, -torch.inf)], -1)
    weights = scores.softmax(-1, dtype=torch.float32).to(query.dtype)
    on_prefix, on_self = weights[..., :-suffix], weights[..., -suffix:]
    read = rearrange(on_prefix, "b g r s p -> g (b r s) p") @ values
    out = rearrange(read, "g (b r s) d -> b s (g r) d", b=batch, s=suffix)
    own = rearrange(on_self, "b g r s t -> b g (r s) t") @ value
    return out + rearrange(own, "b g (r s) d -> b s (g r) d", s=suffix), None


AttentionInterface.register("shared_prefix", shared_prefix_attention)


class Tail:
    """One prompt's forward pass, ready to be resumed from position ``start`` on.

    Args:
        subject: the model.
        tokens: the unpatched prompt.
        start: first position that patches may change.
    """

    def __init__(self, subject: Subject, tokens: tuple[int, ...], start: int) -> None:
        self.subject, self.start, self.length = subject, start, len(tokens)
        twin = share_weights(subject.model)
        twin.config._attn_implementation = "shared_prefix"
        self._blocks = list(part(twin, subject.family.blocks).children())
        self._prefix, self._rotary = self._run(tokens)

    @torch.inference_mode()
    def _run(self, tokens: tuple[int, ...]) -> tuple[Prefix, tuple[Tensor, Tensor] | None]:
        """Keys and values before ``start``, and the rotary embedding of the positions after."""
        subject = self.subject
        cache = subject.model(subject.batch(tokens), use_cache=True).past_key_values
        keys = torch.stack([layer.keys[0, :, : self.start] for layer in cache.layers])
        values = torch.stack([layer.values[0, :, : self.start] for layer in cache.layers])
        if subject.family.rotary is None:
            return (keys, values), None
        positions = torch.arange(self.start, self.length, device=subject.device)[None]
        rotary = part(subject.model, subject.family.rotary)
        return (keys, values), rotary(keys, position_ids=positions)

    @torch.inference_mode()
    def finals(
        self,
        entering: Callable[[int], Float[Tensor, "patch suffix d_model"]],
        progress: Progress = silent,
    ) -> Float[Tensor, "all_patches d_model"]:
        """Final residual at the last position of every patch, in the order of entry.

        Args:
            entering: the patched residuals that go into layer 0, 1, ..., n_layers (the last go
                through nothing); asked once for each, in order, so they can be made as needed.
            progress: told the finished fraction.

        Patches of several layers travel together until they fill a chunk; a full chunk is sent to
        the end. So small sets run at the speed of large ones, and memory stays bounded.
        """
        done, n_layers = [], len(self._blocks)
        travelling = entering(0)
        for layer in range(n_layers):
            if travelling.shape[0] * travelling.shape[1] >= CHUNK_TOKENS:
                done.append(self._to_the_end(travelling, layer))
                travelling = travelling[:0]
            elif len(travelling):
                travelling = self._step(travelling, layer)
            travelling = torch.cat([travelling, entering(layer + 1)])
            progress(1 - (1 - (layer + 1) / n_layers) ** 2)
        return torch.cat([*done, travelling[:, -1]])

    def _to_the_end(self, resid: Tensor, layer: int) -> Float[Tensor, "patch d_model"]:
        """Push patches through all remaining layers, chunk by chunk."""
        finals = []
        for chunk in resid.chunk(-(-resid.shape[0] * resid.shape[1] // CHUNK_TOKENS)):
            for later in range(layer, len(self._blocks)):
                chunk = self._step(chunk, later)
            finals.append(chunk[:, -1])
        return torch.cat(finals)

    def _step(self, resid: Tensor, layer: int) -> Tensor:
        out: Tensor = self._blocks[layer](
            resid, position_embeddings=self._rotary, prefix=self._prefix
        )
        return out

    @contextmanager
    def holding(
        self, layer: int, number: int, activations: Float[Tensor, " suffix"]
    ) -> Iterator[None]:
        """Inside, one neuron keeps these activations, whatever a patch before it would do."""

        def hold(_: nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
            held = args[0].clone()
            held[..., number] = activations
            return (held,)

        out = part(self._blocks[layer], self.subject.family.mlp_out)
        handle = out.register_forward_pre_hook(hold)
        try:
            yield
        finally:
            handle.remove()

    @torch.inference_mode()
    def add_mlp(
        self, resid_mid: Float[Tensor, "batch suffix d_model"], layer: int
    ) -> Float[Tensor, "batch suffix d_model"]:
        """The second half of a sequential block: residual after attention to residual after MLP."""
        block = self._blocks[layer]
        normed = part(block, self.subject.family.mlp_norm)(resid_mid)
        out: Tensor = resid_mid + block.get_submodule("mlp")(normed)
        return out
