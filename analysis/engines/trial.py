"""A model with a graft tried on many texts: what it answers at their ends, and what it costs.

Everything up to the graft's layer is read once; each graft takes the pass up from there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.grafting import Graft, Recorded, activated, added, record
from analysis.engines.tail import Tail
from analysis.subject import Subject

BATCH_TOKENS = 1024
"""Tokens that go on at once."""

SCORED_TOKENS = 128
"""Tokens whose logits are compared at once: two models of 262,144 tokens fit into a gigabyte."""


@dataclass(frozen=True)
class _Batch:
    ids: Int[Tensor, "row pos"]
    ends: Int[Tensor, " row"]
    recorded: Recorded


class Trial:
    """Some texts, read up to one layer.

    Args:
        subject: the model.
        layer: where grafts go.
        texts: as tokens, of any lengths; shorter ones are padded behind, which nothing reads.
    """

    def __init__(self, subject: Subject, layer: int, texts: Sequence[Sequence[int]]) -> None:
        self.subject, self.layer = subject, layer
        longest = max(map(len, texts))
        self._tail = Tail(subject, _padded(texts[0], longest), 0)
        size = max(1, BATCH_TOKENS // longest)
        self._batches = [
            self._read(texts[begin : begin + size], longest) for begin in range(0, len(texts), size)
        ]

    def _read(self, texts: Sequence[Sequence[int]], longest: int) -> _Batch:
        ids = torch.tensor([_padded(text, longest) for text in texts], device=self.subject.device)
        wanted = {name: [self.layer] for name in ("reads", "output", "resid")}
        ends = torch.tensor([len(text) - 1 for text in texts], device=ids.device)
        return _Batch(ids, ends, record(self.subject, ids, wanted))

    @torch.inference_mode()
    def activations(self, graft: Graft) -> Float[np.ndarray, " text"]:
        """The graft's activation at the end of each text."""
        return _joined(
            activated(self.subject, graft, batch.recorded["reads"][self.layer][_rows(batch)])
            for batch in self._batches
        )

    @torch.inference_mode()
    def written(self) -> float:
        """How large what the MLP writes is at the ends of the texts: its root mean square."""
        rows = [batch.recorded["output"][self.layer][_rows(batch)] for batch in self._batches]
        return float(torch.cat(rows).square().sum(-1).mean().sqrt())

    @torch.inference_mode()
    def differences(
        self, contrast: Contrast, graft: Graft | None = None
    ) -> Float[np.ndarray, " text"]:
        """Logit difference at the end of each text."""
        return _joined(
            contrast.read(self.subject, self._final(batch, graft)[_rows(batch)])
            for batch in self._batches
        )

    @torch.inference_mode()
    def following(self, graft: Graft | None = None) -> Iterator[Float[Tensor, "place d_vocab"]]:
        """Logarithms of what each text's tokens are thought to be followed by, a few at a time.

        In order, the last token of each text left out.
        """
        for batch in self._batches:
            final = self._final(batch, graft)
            kept = torch.arange(final.shape[1], device=final.device) < batch.ends[:, None]
            places = final[kept]
            for begin in range(0, len(places), SCORED_TOKENS):
                some = places[begin : begin + SCORED_TOKENS]
                logits = self.subject.read_out.logits(self.subject.final_norm(some)).float()
                yield self.subject.finite(logits, "logits").log_softmax(-1)

    @property
    def next_tokens(self) -> Int[Tensor, " place"]:
        """The token that follows at each of those places."""
        rows = [
            ids[1 : end + 1] for b in self._batches for ids, end in zip(b.ids, b.ends, strict=True)
        ]
        return torch.cat(rows)

    @property
    def text_of(self) -> Int[np.ndarray, " place"]:
        """Which of the texts each of those places is in."""
        ends = torch.cat([batch.ends for batch in self._batches]).cpu().numpy()
        return np.repeat(np.arange(len(ends)), ends)

    def _final(self, batch: _Batch, graft: Graft | None) -> Float[Tensor, "row pos d_model"]:
        resid = batch.recorded["resid"][self.layer]
        if graft is not None:
            resid = added(self.subject, graft, batch.recorded)
        return self._tail.everywhere(resid, self.layer)


def costs(
    first: tuple[Trial, Graft | None], others: Sequence[tuple[Trial, Graft | None]]
) -> tuple[Float[np.ndarray, "other place"], Float[np.ndarray, "other place"]]:
    """What grafts cost at every token of some texts.

    Args:
        first: what is compared with, a graft or none.
        others: what is looked at; all trials hold the same texts.

    Returns:
        The change of the loss on the text's own next token, and the KL divergence of what is
        thought to follow from what was, in nats.
    """
    every = (trial.following(graft) for trial, graft in (first, *others))
    following = first[0].next_tokens
    change, divergence, begin = [], [], 0
    for ours, *theirs in zip(*every, strict=True):
        own = following[begin : begin + len(ours)]
        rows = torch.arange(len(own), device=own.device)
        losses = [ours[rows, own] - each[rows, own] for each in theirs]
        change.append(torch.stack(losses, -1))
        divergence.append(torch.stack([(ours.exp() * (ours - t)).sum(-1) for t in theirs], -1))
        begin += len(ours)
    return _joined(change).T, _joined(divergence).T


def _rows(batch: _Batch) -> tuple[Tensor, Tensor]:
    return torch.arange(len(batch.ends), device=batch.ends.device), batch.ends


def _joined(parts: Iterable[Tensor]) -> Float[np.ndarray, "..."]:
    values: np.ndarray = torch.cat(list(parts)).float().cpu().numpy()
    return values


def _padded(tokens: Sequence[int], length: int) -> tuple[int, ...]:
    return (*tokens, *[0] * (length - len(tokens)))
