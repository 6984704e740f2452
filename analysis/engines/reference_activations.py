"""What a layer's neurons do in other texts: the values that an exchanged activation may take."""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from analysis.engines.reading import Window, batches, read, windows
from analysis.neuron import Neuron
from analysis.subject import Subject

TEXTS, TEXT_TOKENS = 16, 32
"""How many texts are read, and tokens of each, by the usual choice."""


def reference_activations(
    subject: Subject, layer: int, windows: Iterable[Window]
) -> Float[Tensor, "token d_mlp"]:
    """Activations of a whole layer on every token of some windows but the first of each.

    A text's first token is like no other: many models park attention there, with activations far
    from all others'. The pass ends with the layer, so an early one costs little.

    Args:
        subject: the model.
        layer: whose activations are wanted.
        windows: of any lengths.
    """
    rows = [torch.zeros((0, subject.d_mlp), device=subject.device, dtype=subject.dtype)]
    for batch in batches(windows):
        reading = read(subject, batch, [layer], logits=False)
        rows.append(reading.activations[layer][reading.pos > 0])
    return torch.cat(rows)


def beginnings(
    subject: Subject, documents: Iterable[tuple[int, str]], length: int
) -> Iterator[Window]:
    """The first window of every numbered document, at most so many tokens long, BOS not counted."""
    for document in documents:
        yield from itertools.islice(windows(subject, [document], length), 1)


def neuron_reference(
    subject: Subject, neuron: Neuron, documents: Iterable[tuple[int, str]]
) -> Float[np.ndarray, " token"]:
    """One neuron's activation at the beginnings of numbered documents, first positions left out."""
    layer = reference_activations(
        subject, neuron.layer, beginnings(subject, documents, TEXT_TOKENS)
    )
    values: np.ndarray = layer[:, neuron.number].float().cpu().numpy()
    return values
