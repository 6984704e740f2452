"""Reads text with the plain model: every neuron's activation and the logits, on every token.

The corpus engine. It knows no corpus and keeps no statistics: experiments say what they want of
each batch. A read may change activations on their way (ablation, scaling).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from analysis.family import part
from analysis.subject import Subject

BATCH_TOKENS = 1024
"""Tokens read at once: bounds memory (their logits are the largest part), and is fast enough."""

NO_TOKEN = -1
"""What follows the last token of a window: unknown."""

Change = Callable[[Float[Tensor, "batch pos d_mlp"]], Float[Tensor, "batch pos d_mlp"]]
"""Replaces the activations of one layer before they are written."""


@dataclass(frozen=True)
class Window:
    """A stretch of one document as the model reads it, BOS included where the model wants it.

    Attributes:
        document: number of the document.
        start: place of the first own token (BOS aside) in the document.
        tokens: token ids.
    """

    document: int
    start: int
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """What the model did on every token of some windows, one after the other.

    Attributes:
        window: which of the windows each token stands in.
        pos: its position there.
        token: its id.
        following: id of the text's own next token, ``NO_TOKEN`` at a window's end.
        logits: of the next token.
        activations: by layer, the input of the MLP's output weights.
        gates: by layer, what its gates read, before the activation function; none where the MLP has
            no gate of its own.
        ups: by layer, what the activated gates are multiplied by.
    """

    window: Int[Tensor, " token"]
    pos: Int[Tensor, " token"]
    token: Int[Tensor, " token"]
    following: Int[Tensor, " token"]
    logits: Float[Tensor, "token d_vocab"]
    activations: dict[int, Float[Tensor, "token d_mlp"]]
    gates: dict[int, Float[Tensor, "token d_mlp"]]
    ups: dict[int, Float[Tensor, "token d_mlp"]]


def windows(
    subject: Subject, documents: Iterable[tuple[int, str]], length: int
) -> Iterator[Window]:
    """Cut numbered documents into windows of at most ``length`` tokens, BOS not counted.

    A window is never longer than the model reads.
    """
    lead = int(subject.prepend_bos)
    length = min(length, subject.context - lead)
    for number, text in documents:
        tokens = subject.tokens(text)
        for start in range(lead, len(tokens), length):
            piece = (*tokens[:lead], *tokens[start : start + length])
            yield Window(number, start - lead, piece)


def batches(
    pieces: Iterable[Window], most_tokens: int = BATCH_TOKENS
) -> Iterator[tuple[Window, ...]]:
    """Gather windows, in order, into batches that hold at most so many tokens, padding counted."""
    batch: list[Window] = []
    for window in pieces:
        longest = max(len(w.tokens) for w in (*batch, window))
        if batch and longest * (len(batch) + 1) > most_tokens:
            yield tuple(batch)
            batch = []
        batch.append(window)
    if batch:
        yield tuple(batch)


@torch.inference_mode()
def read(
    subject: Subject,
    batch: tuple[Window, ...],
    layers: Collection[int] = (),
    changes: Mapping[int, Change] | None = None,
    factors: bool = False,
) -> Reading:
    """One pass of the plain model over a batch of windows.

    Args:
        subject: the model.
        batch: windows of any lengths; shorter ones are padded at their end, which a causal model
            does not see.
        layers: whose activations are wanted.
        changes: by layer, what is done to the activations before they are written; the reading
            holds them as they were before.
        factors: whether gates and ups of the layers are wanted too, where there are such.

    Raises:
        UserError: a logit is not finite.
    """
    ids, valid = _padded(subject, batch)
    seen: dict[int, Tensor] = {}
    gates: dict[int, Tensor] = {}
    ups: dict[int, Tensor] = {}
    with ExitStack() as hooks:
        if factors and has_factors(subject):
            for layer in layers:
                _keep(hooks, subject.blocks[layer], subject.family.mlp_gate, gates, layer)
                _keep(hooks, subject.blocks[layer], subject.family.mlp_in, ups, layer)
        for layer in {*layers, *(changes or {})}:
            watch = partial(_watch, seen, layer, (changes or {}).get(layer))
            hooks.enter_context(subject.family.activations(subject.blocks[layer], watch))
        logits = subject.model(ids, use_cache=False).logits
    following = torch.full_like(ids, NO_TOKEN)
    following[:, :-1] = ids[:, 1:]
    following[:, :-1][~valid[:, 1:]] = NO_TOKEN
    window, pos = valid.nonzero(as_tuple=True)
    return Reading(
        window=window,
        pos=pos,
        token=ids[valid],
        following=following[valid],
        logits=subject.finite(logits[valid], "logits").float(),
        activations={layer: seen[layer][valid] for layer in layers},
        gates={layer: values[valid] for layer, values in gates.items()},
        ups={layer: values[valid] for layer, values in ups.items()},
    )


def has_factors(subject: Subject) -> bool:
    """Whether activations are products, of an activated gate and of an up, that can be told apart.

    They cannot where both come out of one matrix.
    """
    return None not in (subject.family.mlp_gate, subject.family.mlp_in)


def _keep(
    hooks: ExitStack, block: nn.Module, path: str | None, kept: dict[int, Tensor], layer: int
) -> None:
    """Until the hooks go, what a part of a block gives is kept."""
    assert path is not None
    handle = part(block, path).register_forward_hook(
        lambda _module, _args, output: kept.update({layer: output})
    )
    hooks.callback(handle.remove)


def _padded(
    subject: Subject, batch: tuple[Window, ...]
) -> tuple[Int[Tensor, "batch pos"], Bool[Tensor, "batch pos"]]:
    longest = max(len(window.tokens) for window in batch)
    ids = torch.zeros((len(batch), longest), dtype=torch.long)
    valid = torch.zeros((len(batch), longest), dtype=torch.bool)
    for row, window in enumerate(batch):
        ids[row, : len(window.tokens)] = torch.tensor(window.tokens)
        valid[row, : len(window.tokens)] = True
    return ids.to(subject.device), valid.to(subject.device)


def _watch(
    seen: dict[int, Tensor],
    layer: int,
    change: Change | None,
    activations: Float[Tensor, "batch pos d_mlp"],
) -> Float[Tensor, "batch pos d_mlp"] | None:
    seen[layer] = activations
    return None if change is None else change(activations)
