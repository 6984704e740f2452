"""Reads text with the plain model: every neuron's activation and the logits, on every token.

The corpus engine. It knows no corpus and keeps no statistics: experiments say what they want of
each batch. A read may change activations on their way (ablation, scaling).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
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

Tell = Callable[[int, Tensor, Tensor | None, Tensor | None], None]
"""Is told a layer's activations, [token d_mlp], and its gates and ups where those are wanted and
there are any, while the pass goes on."""


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
        logits: of the next token; of none where they were not asked for.
        activations: by layer, the input of the MLP's output weights.
        gates: by layer, what its gates read, before the activation function; none where the MLP has
            no gate of its own.
        ups: by layer, what the activated gates are multiplied by.
    """

    window: Int[Tensor, " token"]
    pos: Int[Tensor, " token"]
    token: Int[Tensor, " token"]
    following: Int[Tensor, " token"]
    logits: Float[Tensor, "logit_row d_vocab"]
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


class _EnoughError(Exception):
    """Ends a pass behind the last layer that was asked for."""


@torch.inference_mode()
def read(
    subject: Subject,
    batch: tuple[Window, ...],
    layers: Collection[int] = (),
    changes: Mapping[int, Change] | None = None,
    factors: bool = False,
    tell: Tell | None = None,
    logits: bool = True,
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
        tell: is told the wanted layers one after the other, and the reading then holds none: so no
            more than one layer's activations are in memory.
        logits: whether they are wanted; else the pass ends behind the last wanted layer.

    Raises:
        UserError: a logit is not finite.
    """
    ids, valid = _padded(subject, batch)
    wanted, changes, watched = sorted({*layers}), changes or {}, _Watched({}, {}, {})
    full = bool(valid.all())

    def watch(layer: int, activations: Float[Tensor, "batch pos d_mlp"]) -> Tensor | None:
        if layer in wanted:
            watched.keep(layer, activations, None if full else valid)
            if tell is not None:
                tell(layer, *watched.pop(layer))
        if not logits and layer == wanted[-1]:
            raise _EnoughError
        return changes[layer](activations) if layer in changes else None

    with ExitStack() as hooks:
        if factors and has_factors(subject):
            for layer in wanted:
                _keep(hooks, subject.blocks[layer], subject.family.mlp_gate, watched.gates, layer)
                _keep(hooks, subject.blocks[layer], subject.family.mlp_in, watched.ups, layer)
        for layer in {*wanted, *changes}:
            block = subject.blocks[layer]
            hooks.enter_context(subject.family.activations(block, partial(watch, layer)))
        found = _logits(subject, ids, valid) if logits else _passed(subject, ids)
    following = torch.full_like(ids, NO_TOKEN)
    following[:, :-1] = ids[:, 1:]
    following[:, :-1][~valid[:, 1:]] = NO_TOKEN
    window, pos = valid.nonzero(as_tuple=True)
    kept = watched.activations, watched.gates, watched.ups
    return Reading(window, pos, ids[valid], following[valid], found, *kept)


@dataclass(frozen=True)
class _Watched:
    """What is kept of a pass, by layer; gates and ups stand before their activations."""

    activations: dict[int, Tensor]
    gates: dict[int, Tensor]
    ups: dict[int, Tensor]

    def keep(
        self, layer: int, activations: Tensor, valid: Bool[Tensor, "batch pos"] | None
    ) -> None:
        """Keep a layer's activations, and what else is there of it, on real tokens alone."""
        self.activations[layer] = activations
        for values in (self.activations, self.gates, self.ups):
            if layer in values:
                own = values[layer]
                values[layer] = own.flatten(0, 1) if valid is None else own[valid]

    def pop(self, layer: int) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Activations, gates and ups of a layer, which are not kept on."""
        return (
            self.activations.pop(layer),
            self.gates.pop(layer, None),
            self.ups.pop(layer, None),
        )


def _logits(
    subject: Subject, ids: Int[Tensor, "batch pos"], valid: Bool[Tensor, "batch pos"]
) -> Float[Tensor, "token d_vocab"]:
    """Those after every real token."""
    logits = subject.model(ids, use_cache=False).logits
    own = logits.flatten(0, 1) if valid.all() else logits[valid]
    return subject.finite(own, "logits").float()


def _passed(subject: Subject, ids: Int[Tensor, "batch pos"]) -> Float[Tensor, "0 d_vocab"]:
    """No logits: a pass whose watch ends it."""
    with suppress(_EnoughError):
        subject.model.base_model(ids, use_cache=False)
    return torch.zeros((0, subject.d_vocab))


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
