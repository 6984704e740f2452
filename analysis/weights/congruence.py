"""Every neuron against every token: congruence in blocks of bounded memory.

The product of all output weights with the unembedding is far too large to keep (46,080 neurons by
49,152 tokens are 9 GB). It is made block by block; of each block only what may be among the best is
kept. The original study (Miller and Neo, 2023) multiplied with the token embeddings instead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.linearity import check_comparable
from analysis.neuron import Neuron
from analysis.subject import Subject

MEASURES = ("raw", "centred", "standardised")
"""The product itself; less the neuron's mean over the vocabulary; in its standard deviations."""

MINUS = "\u2212"

SMALLEST = 1e-12
"""A neuron whose logits spread less than this writes nothing, and is standardised to zero."""


@dataclass(frozen=True)
class Block:
    """How many neurons are multiplied with how many tokens at once."""

    neurons: int = 512
    tokens: int = 2048


@dataclass(frozen=True)
class Scales:
    """Mean and spread of neurons' logits, which turn centred logits into the other measures.

    Attributes:
        mean: of each neuron's raw logits over the vocabulary.
        spread: their standard deviation.
    """

    mean: Float[Tensor, " neuron"]
    spread: Float[Tensor, " neuron"]

    def measured(
        self, centred: Float[Tensor, "row token"], neurons: Int[Tensor, " row"] | slice, name: str
    ) -> Float[Tensor, "row token"]:
        """Centred logits of some neurons, a row each, in one of the ``MEASURES``."""
        if name == "raw":
            return centred + self.mean[neurons, None]
        if name == "standardised":
            return centred * self.factor("standardised", neurons)[:, None]
        return centred

    def peaks(
        self, peak: Float[Tensor, " row"], units: Int[Tensor, " row"], name: str
    ) -> Float[Tensor, " row"]:
        """The centred logit of some units' best tokens in one of the ``MEASURES``."""
        neurons = units % len(self.mean)
        if name == "raw":
            return peak + torch.where(units < len(self.mean), 1, -1) * self.mean[neurons]
        return peak * self.factor(name, neurons)

    def factor(self, name: str, neurons: Int[Tensor, " row"] | slice) -> Float[Tensor, " row"]:
        """By what a difference of two centred logits is multiplied."""
        spread = self.spread[neurons]
        if name != "standardised":
            return torch.ones_like(spread)
        return torch.where(spread > SMALLEST, 1 / spread.clamp_min(SMALLEST), 0)


@dataclass(frozen=True)
class Survey:
    """The best of all units for each token, and each unit's best logit.

    A unit is a neuron read in one direction. Numbers below the count of neurons are neurons with
    positive activation; in a gated MLP each is there once more, with negative activation, which
    writes the opposite.

    Attributes:
        best: by measure, value of the best and second-best unit for each token.
        units: by measure, which units these are.
        peak: centred logit of each unit's best token.
        scales: turns centred logits into the other measures.
    """

    best: dict[str, Float[Tensor, "token 2"]]
    units: dict[str, Int[Tensor, "token 2"]]
    peak: Float[Tensor, " unit"]
    scales: Scales


def unit_name(subject: Subject, unit: int) -> str:
    """``L25N1527``, and ``L25N1527−`` where it is read with negative activation."""
    neurons = subject.n_layers * subject.d_mlp
    return f"{unit_neuron(subject, unit)}{MINUS if unit >= neurons else ''}"


def unit_neuron(subject: Subject, unit: int) -> Neuron:
    """The neuron of a unit."""
    return Neuron(*divmod(unit % (subject.n_layers * subject.d_mlp), subject.d_mlp))


@torch.inference_mode()
def scales(subject: Subject, block: Block) -> Scales:
    """Mean and spread of every neuron's logits, from the unembedding's mean and covariance.

    No product with the vocabulary is needed: the variance of ``w @ W_U`` over tokens is
    ``w @ covariance(W_U) @ w``.

    Raises:
        UserError: weights of different layers cannot be compared.
    """
    check_comparable(subject)
    centre = subject.W_U.float().mean(1)
    covariance = torch.zeros(len(centre), len(centre), device=centre.device)
    for start in range(0, subject.d_vocab, block.tokens):
        columns = _columns(subject, centre, start, block)
        covariance += columns @ columns.T / subject.d_vocab
    means, variances = [], []
    for layer in range(subject.n_layers):
        writes = subject.writes(layer).float()
        means.append(writes @ centre)
        variances.append(((writes @ covariance) * writes).sum(1))
    return Scales(torch.cat(means), torch.cat(variances).clamp_min(0).sqrt())


def _columns(
    subject: Subject, centre: Float[Tensor, " d_model"], start: int, block: Block
) -> Float[Tensor, "d_model token"]:
    """A block of the unembedding, the mean over the whole vocabulary taken off."""
    return subject.W_U[:, start : start + block.tokens].float() - centre[:, None]


class Surveyor:
    """Makes a ``Survey``, some tokens at a time."""

    def __init__(self, subject: Subject, block: Block) -> None:
        self.subject, self.block = subject, block
        self.gated = subject.family.gated
        self.neurons = subject.n_layers * subject.d_mlp
        self.scales = scales(subject, block)
        self.centre = subject.W_U.float().mean(1)
        shape, device = (subject.d_vocab, 2), subject.device
        self.best = {m: torch.full(shape, -torch.inf, device=device) for m in MEASURES}
        self.units = {m: torch.zeros(shape, dtype=torch.long, device=device) for m in MEASURES}
        self.peak = torch.full((self.neurons * (1 + self.gated),), -torch.inf, device=device)

    def starts(self) -> range:
        """First token of every block of tokens."""
        return range(0, self.subject.d_vocab, self.block.tokens)

    @torch.inference_mode()
    def read(self, start: int) -> None:
        """Multiply all neurons with one block of tokens.

        Late layers come first: their writes are the longest, so little has to be corrected later.
        """
        columns = _columns(self.subject, self.centre, start, self.block)
        tokens = slice(start, start + columns.shape[1])
        for layer in reversed(range(self.subject.n_layers)):
            first = layer * self.subject.d_mlp
            for writes in torch.split(self.subject.writes(layer), self.block.neurons):
                rows = slice(first, first + len(writes))
                self._take(writes.float() @ columns, rows, tokens)
                first = rows.stop

    def survey(self) -> Survey:
        """What was found."""
        return Survey(self.best, self.units, self.peak, self.scales)

    def _take(self, centred: Float[Tensor, "row token"], rows: slice, tokens: slice) -> None:
        """Keep what of a block of logits belongs to the best so far."""
        self.peak[rows] = self.peak[rows].maximum(centred.amax(1))
        if self.gated:
            opposed = slice(rows.start + self.neurons, rows.stop + self.neurons)
            self.peak[opposed] = self.peak[opposed].maximum(-centred.amin(1))
        for measure in MEASURES:
            values = self.scales.measured(centred, rows, measure)
            self._raise(measure, values, rows, tokens)

    def _raise(
        self, measure: str, values: Float[Tensor, "row token"], rows: slice, tokens: slice
    ) -> None:
        """Look closer only at tokens for which the block holds more than their second-best."""
        best, units = self.best[measure][tokens], self.units[measure][tokens]
        highest = values.amax(0)
        if self.gated:
            highest = highest.maximum(-values.amin(0))
        better = (highest > best[:, 1]).nonzero().squeeze(1)
        if not len(better):
            return
        chosen = values[:, better].T.contiguous()
        found, where = _candidates(chosen, rows.start, 0)
        pool, origin = [best[better], found], [units[better], where]
        if self.gated:
            found, where = _candidates(-chosen, rows.start, self.neurons)
            pool, origin = [*pool, found], [*origin, where]
        top = torch.cat(pool, 1).topk(2, dim=1)
        best[better], units[better] = top.values, torch.cat(origin, 1).gather(1, top.indices)


def _candidates(
    values: Float[Tensor, "token row"], first: int, shift: int
) -> tuple[Float[Tensor, "token few"], Int[Tensor, "token few"]]:
    top = values.topk(min(2, values.shape[1]), dim=1)
    return top.values, top.indices + first + shift


@torch.inference_mode()
def unit_logits(
    subject: Subject, units: Sequence[int], most: int = 256
) -> Iterator[tuple[slice, Float[Tensor, "unit token"]]]:
    """Centred logits of some units over the whole vocabulary, so many units at a time."""
    neurons, centre = subject.n_layers * subject.d_mlp, subject.W_U.float().mean(1)
    for start in range(0, len(units), most):
        chosen = units[start : start + most]
        writes = torch.stack([subject.write(unit_neuron(subject, u)) for u in chosen]).float()
        signs = torch.tensor([-1.0 if u >= neurons else 1.0 for u in chosen], device=writes.device)
        writes = writes * signs[:, None]
        logits = writes @ subject.W_U.float() - (writes @ centre)[:, None]
        yield slice(start, start + len(chosen)), logits
