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
from analysis.engines.grafting import Recorded, features, is_biased, record
from analysis.engines.ridge import Sums
from analysis.neuron import Neuron
from analysis.progress import Progress, silent
from analysis.subject import Subject

BATCH_TEXTS = 32
"""Texts that both models read at once."""

END = 10
"""As so many tokens counts the end of a text in the fit: it is there that the neuron has a choice
to make, and elsewhere it has to be silent."""

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


Aligned = dict[str, dict[int, Float[Tensor, "token _"]]]
"""What was recorded at positions that have seen the same, by name and layer."""


@dataclass(frozen=True)
class Lesson:
    """A text to learn from, and which token it calls for: 1 the target, -1 the foil, None unknown.

    Only where it is known does a text take part in the fit of the outcome.
    """

    text: str
    outcome: float | None


@dataclass
class Transfer:
    """Sums of one fold.

    Attributes:
        known: by recipient's layer, what its MLP reads against ``VALUES``, in texts whose outcome
            is known.
        unknown: the same in all others.
        stream: the donor's residual stream behind its neuron against the recipient's behind every
            layer.
    """

    known: list[Sums]
    unknown: list[Sums]
    stream: Sums

    def reading(self, layer: int) -> Sums:
        """Over all texts."""
        return self.known[layer] + self.unknown[layer]


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
    sums = _nothing(donor, recipient)
    for done, batch in enumerate(_batches(lessons), start=1):
        places = [aligned(donor, recipient, lesson.text) for lesson in batch]
        ours = _at(record(donor, _ids(donor, batch), _wanted(donor, neuron)), places, 0)
        theirs = record(recipient, _ids(recipient, batch), {"reads": layers, "resid": layers})
        theirs = _at(theirs, places, 1)
        values = _values(donor, (neuron, other), ours, draw)
        values = torch.cat([values, _outcomes(batch, places)], -1)
        resid = torch.cat([theirs["resid"][i] for i in layers], -1)
        known = sums.unknown if batch[0].outcome is None else sums.known
        weight = _weights(places)
        for layer in layers:
            known[layer].add(features(recipient, theirs["reads"][layer]), values, weight)
        sums.stream.add(ours["resid"][neuron.layer], resid)
        progress(done * BATCH_TEXTS / max(len(lessons), done * BATCH_TEXTS))
    return sums


def _nothing(donor: Subject, recipient: Subject) -> Transfer:
    """Sums over no text."""
    width = recipient.d_model + is_biased(recipient)
    known, unknown = (
        [Sums.empty(width, len(VALUES)) for _ in range(recipient.n_layers)] for _ in range(2)
    )
    return Transfer(
        known, unknown, Sums.empty(donor.d_model, recipient.n_layers * recipient.d_model)
    )


def _batches(lessons: Sequence[Lesson]) -> Iterator[Sequence[Lesson]]:
    """Texts whose outcome is known come together, and so do the others."""
    for unknown in (False, True):
        some = [lesson for lesson in lessons if (lesson.outcome is None) == unknown]
        for begin in range(0, len(some), BATCH_TEXTS):
            yield some[begin : begin + BATCH_TEXTS]


def _ids(subject: Subject, batch: Sequence[Lesson]) -> Int[Tensor, "row pos"]:
    rows = [subject.tokens(lesson.text) for lesson in batch]
    longest = max(map(len, rows))
    return torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=subject.device)


def _wanted(donor: Subject, neuron: Neuron) -> dict[str, list[int]]:
    names = ("in", "gate", "activations") if donor.family.gated else ("in", "activations")
    return {name: [neuron.layer] for name in (*names, "resid")}


def _at(recorded: Recorded, places: Sequence[list[tuple[int, int]]], side: int) -> Aligned:
    """What was recorded at the aligned positions of all texts, one after the other."""
    rows = torch.tensor([row for row, pairs in enumerate(places) for _ in pairs])
    at = torch.tensor([pair[side] for pairs in places for pair in pairs])
    return {
        name: {layer: values[rows, at] for layer, values in by_layer.items()}
        for name, by_layer in recorded.items()
    }


def _values(
    donor: Subject, neurons: tuple[Neuron, Neuron], ours: Aligned, draw: torch.Generator
) -> Float[Tensor, "token value"]:
    """The neuron's readings, dealt out anew, and another neuron's."""
    layer = neurons[0].layer
    sources = ours["in"], ours["gate"] if donor.family.gated else ours["in"], ours["activations"]
    mine, theirs = (
        torch.stack([source[layer][:, each.number] for source in sources], -1) for each in neurons
    )
    return torch.cat([mine, mine[torch.randperm(len(mine), generator=draw)], theirs], -1)


def _weights(places: Sequence[list[tuple[int, int]]]) -> Float[Tensor, " token"]:
    """How often each token counts: the end of a text, which is what matters, many times."""
    return torch.tensor(
        [float(END if pair == pairs[-1] else 1) for pairs in places for pair in pairs]
    )


def _outcomes(
    batch: Sequence[Lesson], places: Sequence[list[tuple[int, int]]]
) -> Float[Tensor, "token 2"]:
    """The outcome, which only a text's end has, and a one."""
    outcomes = [
        (lesson.outcome or 0.0) * (pair == pairs[-1])
        for lesson, pairs in zip(batch, places, strict=True)
        for pair in pairs
    ]
    return torch.stack([torch.tensor(outcomes), torch.ones(len(outcomes))], -1)
