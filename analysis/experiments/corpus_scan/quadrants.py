"""The four quadrants of a gated neuron: what lies where its gate and its up have which signs.

The activation is a product of the two, up and activated gate, so that each of its signs comes in
two ways.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from analysis.numbers.estimates import share_of_tokens
from analysis.scanning.examples import Spans, context
from analysis.scanning.tallies import Records, document_and_position, quadrant
from analysis.subject import Subject

SIGNS = ((True, True), (True, False), (False, True), (False, False))
"""Whether gate and up are above zero, by quadrant."""

SHOWN = 3
"""Examples of each quadrant."""


def quadrants(
    subject: Subject,
    records: Records,
    edges: Float[np.ndarray, " edge"],
    documents: Mapping[int, str],
) -> dict[str, Any]:
    """Counts, what follows, and examples by quadrant, of tokens with a known next one alone.

    Args:
        subject: the model.
        records: every token.
        edges: activations at which the bands of the neuron's activation meet.
        documents: the texts by their numbers.
    """
    known = records.next_is_known
    values = records.activations[known, 0].double().numpy()
    factors = records.factors[known].double().numpy()
    masks = _masks(factors)
    ends = np.stack([values < edges[1], values >= edges[-2]])
    words = np.stack([records.next_is_target[known].numpy(), records.next_is_foil[known].numpy()])
    document = np.unique(records.document[known].numpy(), return_inverse=True)[1]
    shown = [
        (number, row)
        for number, mask in enumerate(masks)
        for row in sorted(np.flatnonzero(mask), key=lambda i: -abs(values[i]))[:SHOWN]
    ]
    places = records.place[known].tolist()
    texts = _contexts(subject, [places[row] for _, row in shown], documents)
    return {
        "quadrant_tokens": masks.sum(1),
        "quadrant_mean": np.array([values[m].mean() if m.any() else np.nan for m in masks]),
        "quadrant_ends": (ends[:, None] & masks).sum(2),
        "quadrant_hits": (words[:, None] & masks).sum(2),
        "quadrant_share": _shares(words, masks, document),
        "quadrant_of": np.array([number for number, _ in shown], dtype=int),
        "quadrant_factors": np.array([(*factors[r], values[r]) for _, r in shown]).reshape(-1, 3),
        "quadrant_before": tuple(before for before, _, _ in texts),
        "quadrant_token": tuple(token for _, token, _ in texts),
        "quadrant_after": tuple(after for _, _, after in texts),
    }


def _masks(factors: Float[np.ndarray, "token factor"]) -> Bool[np.ndarray, "quadrant token"]:
    """Which tokens lie in each quadrant; no quadrants without factors."""
    if not factors.shape[1]:
        return np.zeros((0, len(factors)), dtype=bool)
    found = quadrant(*torch.as_tensor(factors).T).numpy()
    return np.stack([found == number for number in range(len(SIGNS))])


def _shares(
    words: Bool[np.ndarray, "2 token"],
    masks: Bool[np.ndarray, "quadrant token"],
    document: Int[np.ndarray, " token"],
) -> Float[np.ndarray, "2 quadrant 3"]:
    """The share of each quadrant's tokens that each word follows, with its interval."""

    def counted(mask: np.ndarray) -> Int[np.ndarray, " document"]:
        return np.bincount(document[mask], minlength=document.max(initial=-1) + 1)

    shares = [[share_of_tokens(counted(w & m), counted(m)) for m in masks] for w in words]
    return np.array(shares, dtype=np.float64).reshape(len(words), len(masks), 3)


def _contexts(
    subject: Subject, places: Sequence[int], documents: Mapping[int, str]
) -> list[tuple[str, str, str]]:
    """What stands before each place, the token there, and the next."""
    spans: dict[int, Spans] = {}
    found = []
    for place in places:
        document, position = document_and_position(place)
        if document not in spans:
            spans[document] = subject.spans(documents[document])
        found.append(context(subject, documents[document], spans[document], position))
    return found
