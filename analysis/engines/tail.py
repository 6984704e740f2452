"""The exact engine: resume a forward pass after any layer, on the positions that changed.

A patch at position ``start`` or later leaves everything before it as it was. So the pass is taken
up in the middle: only the suffix of positions from ``start`` on goes through the remaining blocks,
for many patches at once, against the unpatched prompt's keys and values of the prefix. The blocks
are the transformers model's own; only their attention function is exchanged for one that knows
that the whole batch shares its prefix. Masks and positions are what the plain model itself calls
each block with, so that sliding windows and layers of several kinds need no code here.

Not every block asks for its attention in the way that can be exchanged. The unpatched prompt tells:
where it does not come out of the fast way as it does of the plain model, whole sequences go through
the plain model's blocks (``Tail.whole`` says so). The numbers are the same.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import AttentionInterface

from analysis.criteria import ROUNDINGS, SAME_MODEL
from analysis.engines.plain_pass import Pass, Prefix, first_of, plain_pass
from analysis.errors import UserError
from analysis.family import part
from analysis.progress import Progress, silent
from analysis.subject import Subject

CHUNK_TOKENS = 1024
"""Tokens that go through a block at once on a processor: bounds memory, and is enough for full
speed."""

Change = Callable[[Float[Tensor, "patch suffix d_mlp"]], Float[Tensor, "patch suffix d_mlp"]]
"""What becomes of one layer's activations on their way to the output weights."""

Changes = Callable[[int, slice], Change | None]
"""The same by layer, for the patches at some places in their order of entry."""


def shared_prefix_attention(
    _module: nn.Module,
    query: Float[Tensor, "batch head suffix d_head"],
    key: Float[Tensor, "batch group suffix d_head"],
    value: Float[Tensor, "batch group suffix d_head"],
    attention_mask: Float[Tensor, "1 1 suffix pos"] | Bool[Tensor, "1 1 suffix pos"] | None,
    *,
    prefix: Prefix,
    scaling: float | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Float[Tensor, "batch suffix head d_head"], None]:
    """Causal attention of suffixes to one common prefix and, each, to itself.

    One matrix product serves the prefix for the whole batch, so its keys are never copied. Without
    a mask every position sees all before it.
    """
    batch, _head, suffix, d_head = query.shape
    keys, values = prefix
    query = query * (d_head**-0.5 if scaling is None else scaling)
    own = rearrange(query, "b (g r) s d -> b g (r s) d", g=keys.shape[0])
    to_self = rearrange(_each(own, key.mT), "b g (r s) t -> b g r s t", s=suffix)
    query = rearrange(query, "b (g r) s d -> g (b r s) d", g=keys.shape[0])
    to_prefix = rearrange(query @ keys.mT, "g (b r s) p -> b g r s p", b=batch, s=suffix)
    if softcap is not None:
        to_prefix, to_self = (softcap * (t / softcap).tanh() for t in (to_prefix, to_self))
    if attention_mask is None:
        hidden = torch.ones(suffix, suffix, dtype=torch.bool, device=query.device).triu(1)
        scores = torch.cat([to_prefix, to_self.masked_fill(hidden, -torch.inf)], -1)
    elif attention_mask.dtype == torch.bool:
        scores = torch.cat([to_prefix, to_self], -1).masked_fill(~attention_mask[0, 0], -torch.inf)
    else:
        scores = torch.cat([to_prefix, to_self], -1) + attention_mask[0, 0]
    weights = scores.softmax(-1, dtype=torch.float32).to(query.dtype)
    on_prefix = rearrange(weights[..., :-suffix], "b g r s p -> g (b r s) p")
    on_self = rearrange(weights[..., -suffix:], "b g r s t -> b g (r s) t")
    read = rearrange(on_prefix @ values, "g (b r s) d -> b g r s d", b=batch, s=suffix)
    read = read + rearrange(_each(on_self, value), "b g (r s) d -> b g r s d", s=suffix)
    return rearrange(read, "b g r s d -> b s (g r) d"), None


def _each(
    left: Float[Tensor, "batch group n k"], right: Float[Tensor, "batch group k m"]
) -> Float[Tensor, "batch group n m"]:
    """Their products, of which thousands of tiny ones are slow; sums are faster on a GPU alone."""
    if right.shape[-1] == 1 and right.is_cuda:
        return (left * right.mT).sum(-1, keepdim=True)
    return left * right if right.shape[-2] == 1 else left @ right


AttentionInterface.register("shared_prefix", shared_prefix_attention)


def disagreement(found: Tensor, expected: Tensor) -> float:
    """Root mean square of the difference, in standard deviations of what is expected."""
    found, expected = found.float(), expected.float()
    return float((found - expected).pow(2).mean().sqrt() / expected.std())


def tolerance(subject: Subject) -> float:
    """How far two ways of one computation may lie apart in its type."""
    return max(SAME_MODEL, ROUNDINGS * subject.arithmetic.eps)


class Tail:
    """One prompt's forward pass, ready to be resumed from position ``start`` on.

    Args:
        subject: the model.
        tokens: the unpatched prompt.
        start: first position that patches may change.
        places: how many of the last positions are told (``ends``).

    Attributes:
        base: the unpatched pass.
        whole: whether whole sequences go through the plain model's blocks: from the first position
            on that is all there is to do, from a later one it is slower.

    Raises:
        UserError: the model's pass cannot be resumed.
    """

    def __init__(
        self, subject: Subject, tokens: tuple[int, ...], start: int, places: int = 1
    ) -> None:
        self.subject, self.start, self.length = subject, start, len(tokens)
        self.places = places
        self._most = subject.arithmetic.tokens_a_pass(CHUNK_TOKENS, subject.d_mlp)
        self.base = base = plain_pass(subject, tokens, start)
        self._prefixes = base.prefixes
        for self.whole in (True,) if start == 0 else (False, True):
            self._blocks = subject.blocks if self.whole else subject.sharing_blocks
            self._calls = [call if self.whole else _suffix_of(call, start) for call in base.calls]
            self._before = [resid[:, :start] for resid in base.entering] if self.whole else []
            if self._resumes(base):
                return
        raise UserError(
            f"A pass of {subject.origin.name} cannot be resumed in its middle: its blocks need more"
            " than what they are called with."
        )

    @torch.inference_mode()
    def _resumes(self, base: Pass) -> bool:
        """Whether the unpatched suffix, in two rows, comes out as in the plain pass."""
        resid = base.entering[0][:, self.start :].repeat(2, 1, 1)
        expected = base.leaving[:, self.start :].expand_as(resid)
        try:
            for layer in range(len(self._blocks)):
                resid = self._step(resid, layer)
        except (AttributeError, IndexError, RuntimeError, TypeError, ValueError):
            return False
        return disagreement(resid, expected) <= tolerance(self.subject)

    def finals(
        self,
        entering: Callable[[int], Float[Tensor, "patch suffix d_model"]],
        progress: Progress = silent,
        changes: Changes | None = None,
    ) -> Float[Tensor, "all_patches d_model"]:
        """``ends`` at the last position alone."""
        return self.ends(entering, progress, changes)[:, -1]

    @torch.inference_mode()
    def ends(
        self,
        entering: Callable[[int], Float[Tensor, "patch suffix d_model"]],
        progress: Progress = silent,
        changes: Changes | None = None,
    ) -> Float[Tensor, "all_patches place d_model"]:
        """Final residuals at the last positions of every patch, in the order of entry.

        Args:
            entering: the patched residuals that go into layer 0, 1, ..., n_layers (the last go
                through nothing); asked once for each, in order, so they can be made as needed.
            progress: told the finished fraction.
            changes: what becomes of the activations of patches on their way.

        Patches of several layers travel together until they fill a chunk; a full chunk is sent to
        the end. So small sets run at the speed of large ones, and memory stays bounded.
        """
        done, n_layers, first = [], len(self._blocks), 0
        travelling = entering(0)
        for layer in range(n_layers):
            if len(travelling) * self._tokens >= self._most:
                done.append(self._to_the_end(travelling, layer, first, changes))
                first += len(travelling)
                travelling = travelling[:0]
            elif len(travelling):
                change = changes and changes(layer, slice(first, first + len(travelling)))
                travelling = self._step(travelling, layer, change)
            travelling = torch.cat([travelling, entering(layer + 1)])
            progress(1 - (1 - (layer + 1) / n_layers) ** 2)
        return torch.cat([*done, travelling[:, -self.places :]])

    @property
    def _tokens(self) -> int:
        """How many tokens of each patch go through a block."""
        return self.length if self.whole else self.length - self.start

    def _to_the_end(
        self, resid: Tensor, layer: int, first: int, changes: Changes | None
    ) -> Float[Tensor, "patch place d_model"]:
        """Push patches through all remaining layers, chunk by chunk."""
        finals = []
        for chunk in resid.chunk(-(-len(resid) * self._tokens // self._most)):
            patches = slice(first, first := first + len(chunk))
            for later in range(layer, len(self._blocks)):
                chunk = self._step(chunk, later, changes and changes(later, patches))
            finals.append(chunk[:, -self.places :])
        return torch.cat(finals)

    def _step(self, resid: Tensor, layer: int, change: Change | None = None) -> Tensor:
        if change is not None:
            with self.activations_changed(layer, change):
                return self._step(resid, layer)
        block, call = self._blocks[layer], self._calls[layer]
        if not self.whole:
            return first_of(block(resid, **call, prefix=self._prefixes[layer]))
        rows = len(resid)
        before = self._before[layer].expand(rows, -1, -1)
        call = {name: _for_rows(name, value, rows) for name, value in call.items()}
        return first_of(block(torch.cat([before, resid], 1), **call))[:, self.start :]

    @torch.inference_mode()
    def everywhere(
        self, resid: Float[Tensor, "row suffix d_model"], layer: int, last: int | None = None
    ) -> Float[Tensor, "row suffix d_model"]:
        """The final residual at every position, from the residual that leaves a layer.

        With ``start`` 0 nothing is left of the text itself: any texts of its length may go in.

        Args:
            resid: what leaves the layer.
            layer: its number, -1 for the embedding.
            last: the layer to stop behind, if not the last.
        """
        for later in range(layer + 1, len(self._blocks) if last is None else last + 1):
            resid = self._step(resid, later)
        return resid

    def activations_changed(self, layer: int, change: Change) -> AbstractContextManager[None]:
        """Inside, a layer's activations from ``start`` on are what ``change`` makes of them."""
        suffix = self.length - self.start

        def changed(seen: Float[Tensor, "patch pos d_mlp"]) -> Tensor:
            return torch.cat([seen[:, :-suffix], change(seen[:, -suffix:])], 1)

        return self.subject.family.activations(self._blocks[layer], changed)

    @torch.inference_mode()
    def attention_changed(
        self,
        layer: int,
        resid: Float[Tensor, "suffix d_model"],
        changes: Float[Tensor, "patch suffix d_model"],
        path: str,
    ) -> Float[Tensor, "patch suffix d_model"]:
        """The residual that leaves a layer whose attention answers something else.

        Args:
            layer: which one.
            resid: the unpatched residual that enters it.
            changes: what is added to the output of a part of its attention.
            path: of that part in a block.
        """

        def add(_: nn.Module, _args: Any, output: Tensor) -> Tensor:
            changed = output.clone()
            changed[:, -changes.shape[1] :] += changes
            return changed

        handle = part(self._blocks[layer], path).register_forward_hook(add)
        try:
            return self._step(resid.expand_as(changes), layer)
        finally:
            handle.remove()


def _suffix_of(call: dict[str, Any], start: int) -> dict[str, Any]:
    """What a block is called with, for the positions from ``start`` on."""
    rows = {"attention_mask": -2, "position_embeddings": -2, "position_ids": -1}
    rows |= {"cache_position": -1}

    def cut(value: Any, dim: int) -> Any:
        if isinstance(value, Tensor):
            return value.narrow(dim, start, value.shape[dim] - start)
        return value if value is None else tuple(cut(each, dim) for each in value)

    return {k: cut(value, rows[k]) if k in rows else value for k, value in call.items()}


def _for_rows(name: str, value: Any, rows: int) -> Any:
    """One prompt's argument for so many rows: ALiBi joins rows and heads, all else is stretched."""
    joined = name == "alibi" and isinstance(value, Tensor) and value.ndim == 3
    return value.repeat(rows, 1, 1) if joined else value
