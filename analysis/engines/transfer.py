"""What a donor's neuron does, read off another model's activations: sums for ridge regression.

Both models read the same texts. At every position that has seen the same characters, the donor's
neuron gives the values, and what the recipient's MLPs read gives the features, layer by layer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.engines.alignment import aligned
from analysis.engines.grafting import Recorded, features, is_gated, record
from analysis.neuron import Neuron
from analysis.numbers.ridge import Sums
from analysis.progress import Progress, silent
from analysis.subject import Subject

BATCH_TEXTS = 32
"""Texts that both models read at once."""

READINGS = ("in", "gate", "activation")
"""What is copied of a neuron: its pre-activations, and its activation. Without a gate, that of the
donor's one reading is its activation."""

VALUES = (
    *READINGS,
    *(f"{name} dealt out anew" for name in READINGS),
    *(f"{name} of another neuron" for name in READINGS),
    "outcome",
    "one",
)
"""What is fitted: the neuron's readings, the same dealt out anew among the tokens read together,
another neuron's, the outcome (1 at the end of a text that calls for the target, -1 for the foil, 0
elsewhere), and a one."""


@dataclass(frozen=True)
class Lesson:
    """A text to learn from, and the token it calls for: 1 the target, -1 the foil."""

    text: str
    outcome: float


@dataclass
class Transfer:
    """Sums of one fold.

    Attributes:
        reading: by recipient's layer, what its MLP reads against ``VALUES``.
        stream: the donor's residual stream behind its neuron against the recipient's behind every
            layer.
    """

    reading: list[Sums]
    stream: Sums


def collect(
    donor: Subject,
    neuron: Neuron,
    other: Neuron,
    recipient: Subject,
    lessons: Sequence[Lesson],
    seed: int,
    progress: Progress = silent,
) -> Transfer:
    """Sums over some texts.

    Args:
        donor: the model that has the neuron.
        neuron: the neuron.
        other: another neuron of its layer, a control.
        recipient: the model that is to get it.
        lessons: the texts.
        seed: of what is dealt out anew.
        progress: told the finished fraction.
    """
    layers = range(recipient.n_layers)
    draw = torch.Generator().manual_seed(seed)
    sums: Transfer | None = None
    for done, batch in enumerate(_batches(lessons), start=1):
        places = [aligned(donor, recipient, lesson.text) for lesson in batch]
        ours = _at(record(donor, _ids(donor, batch), _wanted(donor, neuron)), places, 0)
        theirs = record(recipient, _ids(recipient, batch), {"reads": layers, "resid": layers})
        theirs = _at(theirs, places, 1)
        values = _values(donor, (neuron, other), ours, draw)
        values = torch.cat([values, _outcomes(batch, places)], -1)
        resid = torch.cat([theirs["resid"][i] for i in layers], -1)
        x = [features(recipient, theirs["reads"][i]) for i in layers]
        if sums is None:
            stream = Sums.empty(donor.d_model, resid.shape[-1])
            sums = Transfer([Sums.empty(each.shape[-1], len(VALUES)) for each in x], stream)
        for layer in layers:
            sums.reading[layer].add(x[layer], values)
        sums.stream.add(ours["resid"][neuron.layer], resid)
        progress(done * BATCH_TEXTS / max(len(lessons), done * BATCH_TEXTS))
    assert sums is not None
    return sums


def _batches(lessons: Sequence[Lesson]) -> Iterator[Sequence[Lesson]]:
    for begin in range(0, len(lessons), BATCH_TEXTS):
        yield lessons[begin : begin + BATCH_TEXTS]


def _ids(subject: Subject, batch: Sequence[Lesson]) -> Int[Tensor, "row pos"]:
    rows = [subject.tokens(lesson.text) for lesson in batch]
    longest = max(map(len, rows))
    return torch.tensor(
        [row + [0] * (longest - len(row)) for row in rows], device=subject.device
    )


def _wanted(donor: Subject, neuron: Neuron) -> dict[str, list[int]]:
    names = ("in", "gate", "activations") if is_gated(donor) else ("in", "activations")
    return {name: [neuron.layer] for name in (*names, "resid")}


def _at(recorded: Recorded, places: Sequence[list[tuple[int, int]]], side: int) -> Recorded:
    """What was recorded at the aligned positions of all texts, one after the other."""
    rows = torch.tensor([row for row, pairs in enumerate(places) for _ in pairs])
    at = torch.tensor([pair[side] for pairs in places for pair in pairs])
    return {
        name: {layer: values[rows, at] for layer, values in by_layer.items()}
        for name, by_layer in recorded.items()
    }


def _values(
    donor: Subject, neurons: tuple[Neuron, Neuron], ours: Recorded, draw: torch.Generator
) -> Float[Tensor, "token value"]:
    """The neuron's readings, dealt out anew, and another neuron's."""
    layer = neurons[0].layer
    gate = ours["gate"] if is_gated(donor) else ours["in"]
    mine, theirs = (
        torch.stack([source[layer][:, n.number] for source in (ours["in"], gate, ours["activations"])], -1)
        for n in neurons
    )
    return torch.cat([mine, mine[torch.randperm(len(mine), generator=draw)], theirs], -1)


def _outcomes(
    batch: Sequence[Lesson], places: Sequence[list[tuple[int, int]]]
) -> Float[Tensor, "token 2"]:
    """The outcome, which only a text's end has, and a one."""
    outcomes = [
        lesson.outcome * (pair == pairs[-1])
        for lesson, pairs in zip(batch, places, strict=True)
        for pair in pairs
    ]
    return torch.stack([torch.tensor(outcomes), torch.ones(len(outcomes))], -1)
