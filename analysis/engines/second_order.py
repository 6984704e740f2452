"""One step further back: what the heads and neurons that a neuron reads have read themselves."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.engines.decomposition import (
    Decomposition,
    Readers,
    neuron_readers,
    preactivations,
    projections,
)
from analysis.neuron import Neuron, parse_neuron
from analysis.subject import Subject

STEP_NEURONS = 5
"""Single neurons that are told for every step."""


@dataclass(frozen=True)
class Step:
    """What one component reads somewhere, split by what wrote it.

    Attributes:
        name: the head or neuron that reads.
        position: where.
        projection: ``value`` for a head; the leading projection of a neuron.
        contributions: by component, in both prompts; they sum to ``totals``.
        totals: the reading, from the model's own values.
        neurons: earlier neurons whose part differs most, empty texts where there are fewer.
        neuron_contributions: their parts.
    """

    name: str
    position: int
    projection: str
    contributions: Float[Tensor, "side component"]
    totals: Float[Tensor, " side"]
    neurons: tuple[str, ...]
    neuron_contributions: Float[Tensor, "side neuron"]


def activation_shares(
    subject: Subject, readings: Float[Tensor, "projection side"]
) -> Float[Tensor, " projection"]:
    """What each projection contributes to the difference of activation between two runs.

    A gated activation is the product of act(gate) and up; its difference splits exactly by the
    product rule, each factor's change times the mean of the other. A plain one has one share.
    """
    activated = subject.activation(readings[0])
    if len(readings) == 1:
        return activated[:1] - activated[1:]
    up = readings[1]
    return torch.stack(
        [(activated[0] - activated[1]) * up.mean(), (up[0] - up[1]) * activated.mean()]
    )


def strongest_heads(
    components: Sequence[str], difference: Float[Tensor, " component"], count: int
) -> tuple[str, ...]:
    """The heads whose parts differ most between the prompts, most first."""
    heads = [i for i, name in enumerate(components) if _parsed(name) is not None]
    order = difference[heads].abs().argsort(descending=True, stable=True)[:count]
    return tuple(components[heads[i]] for i in order.tolist())


def _parsed(name: str) -> tuple[int, int] | None:
    """Layer and head of a component that is a head."""
    match = re.fullmatch(r"L(\d+)H(\d+)", name)
    return None if match is None else (int(match[1]), int(match[2]))


def _head(name: str) -> tuple[int, int]:
    head = _parsed(name)
    assert head is not None
    return head


def strongest_neurons(
    runs: Sequence[Decomposition], readers: Sequence[Readers], pos: int, count: int
) -> tuple[tuple[str, ...], Float[Tensor, "side neuron"]]:
    """The single earlier neurons whose parts of one reading differ most, and those parts.

    Each run has a reader of its own; names are filled up with empty texts, parts with zeros.
    """
    subject = runs[0].subject
    pairs = zip(runs, readers, strict=True)
    contributions = torch.stack([run.neurons(reader, pos).flatten() for run, reader in pairs])
    order = (
        (contributions[0] - contributions[1]).abs().argsort(descending=True, stable=True)[:count]
    )
    names = [str(Neuron(*divmod(n, subject.d_mlp))) for n in order.tolist()]
    padded = torch.zeros(len(runs), count).double()
    padded[:, : len(order)] = contributions[:, order]
    return (*names, *[""] * (count - len(names))), padded


def contributions_of_neurons(
    runs: Sequence[Decomposition], readers: Readers, names: Sequence[str]
) -> Float[Tensor, "projection side neuron"]:
    """Single earlier neurons' parts of every projection."""
    subject, last = runs[0].subject, len(runs[0].prompt.tokens) - 1
    found = [parse_neuron(name, subject.n_layers, subject.d_mlp) for name in names]
    layers, numbers = ([neuron[i] for neuron in found] for i in (0, 1))
    rows = [
        [run.neurons(readers.only(index), last)[layers, numbers] for run in runs]
        for index in range(len(readers.bias))
    ]
    return torch.stack([torch.stack(row) for row in rows])


def split_by_source(
    runs: Sequence[Decomposition], readers: Readers, heads: Sequence[str], pos: int
) -> tuple[Float[Tensor, "projection side head pos"], Float[Tensor, "side head pos"]]:
    """Some heads' parts by the position they take them from, and their attention."""
    length = len(runs[0].prompt.tokens)
    sources = torch.zeros(len(readers.bias), len(runs), len(heads), length).double()
    attention = torch.zeros(len(runs), len(heads), length).double()
    for side, run in enumerate(runs):
        for index, name in enumerate(heads):
            sources[:, side, index] = run.sources(*_head(name), readers, pos).T
            attention[side, index] = run.attention(*_head(name), pos)
    return sources, attention


def step_to_source(
    runs: Sequence[Decomposition],
    reader: Readers,
    head: str,
    sources: Float[Tensor, "side pos"],
    components: Sequence[str],
) -> Step:
    """What a head reads at the source where its part differs most, in units of the reader's."""
    last, source = sources.shape[1] - 1, int((sources[0] - sources[1]).abs().argmax())
    through = [run.through(*_head(head), reader, last, source) for run in runs]
    contributions = [
        _placed(run, values, source, components) for run, values in zip(runs, through, strict=True)
    ]
    names, neuron_contributions = strongest_neurons(runs, through, source, STEP_NEURONS)
    return Step(
        head,
        source,
        "value",
        torch.stack(contributions),
        sources[:, source],
        names,
        neuron_contributions,
    )


def step_to_neuron(runs: Sequence[Decomposition], name: str, components: Sequence[str]) -> Step:
    """What an earlier neuron itself reads at the last position, by its leading projection."""
    subject, last = runs[0].subject, len(runs[0].prompt.tokens) - 1
    neuron = parse_neuron(name, subject.n_layers, subject.d_mlp)
    readings = torch.stack([preactivations(subject, r.prompt, neuron)[:, last] for r in runs], 1)
    lead = int(activation_shares(subject, readings).abs().argmax())
    reader = neuron_readers(subject, neuron.layer, [neuron.number]).only(lead)
    contributions = torch.stack([_placed(run, reader, last, components) for run in runs])
    names, neuron_contributions = strongest_neurons(runs, [reader] * len(runs), last, STEP_NEURONS)
    return Step(
        name,
        last,
        projections(subject)[lead],
        contributions,
        readings[lead],
        names,
        neuron_contributions,
    )


def _placed(
    run: Decomposition, reader: Readers, pos: int, components: Sequence[str]
) -> Float[Tensor, " component"]:
    """A split, placed among all components; those that come later have no part in it."""
    placed = torch.zeros(len(components)).double()
    names = run.components(reader.layer, reader.norm)
    placed[[components.index(name) for name in names]] = run.split(reader, pos)[:, 0]
    return placed
