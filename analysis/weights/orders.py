"""Every neuron's standing for one token, by each measure: no product with the vocabulary needed."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.contrast import Contrast
from analysis.neuron import Neuron
from analysis.subject import Subject
from analysis.weights.congruence import MEASURES, Scales, unit_name

TOP = 15
"""Neurons listed by each order."""

ORDERS = (*MEASURES, "difference", "embedding")
"""The measures, target minus foil, and the original's product with the token embeddings."""


@dataclass(frozen=True)
class Orders:
    """The first neurons for a target by each of the ``ORDERS``, and where one of them stands.

    Attributes:
        unit: the neuron asked about, in the direction that writes the target.
        names: the first neurons by each order.
        values: their values.
        rank: rank of the asked neuron.
        value: its value.
    """

    unit: int
    names: tuple[tuple[str, ...], ...]
    values: Float[np.ndarray, "order top"]
    rank: Int[np.ndarray, " order"]
    value: Float[np.ndarray, " order"]


@torch.inference_mode()
def orders(subject: Subject, scales: Scales, contrast: Contrast, neuron: Neuron | None) -> Orders:
    """Order all neurons, in every direction that counts, by what they do to the target."""
    values = _values(subject, scales, contrast)
    both = torch.cat([values, -values], 1) if subject.family.gated else values
    unit = int(both[0].argmax()) if neuron is None else _unit(subject, both, neuron)
    top = both.topk(min(TOP, both.shape[1]), dim=1)
    return Orders(
        unit=unit,
        names=tuple(tuple(unit_name(subject, u) for u in row) for row in top.indices.tolist()),
        values=top.values.cpu().numpy(),
        rank=1 + (both > both[:, unit, None]).sum(1).cpu().numpy(),
        value=both[:, unit].cpu().numpy(),
    )


def _unit(subject: Subject, both: Float[Tensor, "order unit"], neuron: Neuron) -> int:
    """A neuron in the direction that raises the target over the mean of the vocabulary."""
    number = neuron.layer * subject.d_mlp + neuron.number
    opposed = number + subject.n_layers * subject.d_mlp
    centred = both[MEASURES.index("centred")]
    return opposed if opposed < len(centred) and centred[opposed] > centred[number] else number


def _values(subject: Subject, scales: Scales, contrast: Contrast) -> Float[Tensor, "order neuron"]:
    columns = torch.stack(
        [
            subject.W_U[:, contrast.target_id],
            subject.direction(contrast.target_id, contrast.foil_id),
            embedding_column(subject, contrast.target_id),
        ],
        1,
    ).float()
    products = torch.cat(
        [subject.writes(layer).float() @ columns for layer in range(subject.n_layers)]
    )
    raw, difference, embedding = products.unbind(1)
    centred = (raw - scales.mean)[:, None]
    measured = [scales.measured(centred, slice(None), name)[:, 0] for name in MEASURES]
    return torch.stack([*measured, difference, embedding])


def embedding_column(subject: Subject, tokens: int | Tensor) -> Float[Tensor, "*token d_model"]:
    """Token embeddings as the original multiplied them: centred where the norm centres.

    Its library centred the writing weights over ``d_model`` too; one of the two is enough.
    """
    rows = subject.W_E[tokens].float()
    if subject.folded_norm.centres:
        return rows - rows.mean(-1, keepdim=True)
    return rows
