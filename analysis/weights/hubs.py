"""Hubs: neurons that are first for a large part of the vocabulary."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from analysis.subject import Subject
from analysis.weights.congruence import MEASURES, Survey, unit_name
from analysis.weights.orders import embedding_column

HUBS = 8
"""Hubs listed by each measure."""

SAMPLE = 2048
"""Tokens drawn for counting hubs of the original's product."""


def hubs(subject: Subject, survey: Survey, seed: int) -> dict[str, Any]:
    """The hub fields of ``Census``: whole vocabulary by each measure, and by the embeddings."""
    firsts = [survey.units[measure][:, 0] for measure in MEASURES]
    firsts.append(_first_by_embedding(subject, seed))
    counts = [torch.bincount(first, minlength=len(survey.peak)).cpu() for first in firsts]
    top = [count.topk(min(HUBS, int((count > 0).sum()))) for count in counts]
    return {
        "hub_measure": np.repeat(np.arange(len(top)), [len(t.indices) for t in top]),
        "hub_units": tuple(unit_name(subject, u) for t in top for u in t.indices.tolist()),
        "hub_counts": torch.cat([t.values for t in top]).numpy(),
        "hub_tokens": np.array([len(first) for first in firsts]),
        "leaders": np.array([int((count > 0).sum()) for count in counts[: len(MEASURES)]]),
    }


@torch.inference_mode()
def _first_by_embedding(subject: Subject, seed: int) -> Int[Tensor, " token"]:
    """The first neuron, in any direction that counts, for each of some tokens drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randperm(subject.d_vocab, generator=generator)[:SAMPLE].to(subject.device)
    columns = embedding_column(subject, drawn).T
    neurons, gated = subject.n_layers * subject.d_mlp, subject.family.gated
    best = torch.full((len(drawn),), -torch.inf, device=subject.device)
    unit = torch.zeros(len(drawn), dtype=torch.long, device=subject.device)
    for layer in range(subject.n_layers):
        values = subject.writes(layer).float() @ columns
        for sign in (1, -1)[: 1 + gated]:
            found = (values * sign).max(0)
            higher = found.values > best
            best = torch.where(higher, found.values, best)
            shift = layer * subject.d_mlp + (sign < 0) * neurons
            unit = torch.where(higher, found.indices + shift, unit)
    return unit
