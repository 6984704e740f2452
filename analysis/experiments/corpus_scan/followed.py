"""What follows a token, by how active a neuron is on it, with intervals over documents."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Int

from analysis.numbers.discrimination import Detector, auc, auc_gain, auc_interval, detector
from analysis.numbers.estimates import share_excess, share_of_tokens
from analysis.scanning.examples import QUANTILES
from analysis.scanning.tallies import Records

EDGES = QUANTILES[::-1]
"""Shares of all tokens at which the curve's bands of activation meet, set before any text is read.

A hundredth at either end is more than one token in three hundred, as often as “an” comes, so that
the highest band has room for all places of a word that a neuron foretells.
"""

WORDS = ("target", "foil")

LABELS = ("top", "next", "which")
"""Positive tokens: the model's first choice is the target; the text goes on with the target; and
that again, but only among tokens that target or foil follows: which of the two is it?"""


def bands(records: Records, seed: int) -> dict[str, Any]:
    """What follows by band of the asked neuron's activation, tokens with a known next one alone."""
    known = records.next_is_known.numpy()
    values = records.activations[:, 0].double().numpy()[known]
    marks = (records.next_is_target.numpy()[known], records.next_is_foil.numpy()[known])
    edges = np.quantile(values, (0.0, *EDGES, 1.0)) if len(values) else np.zeros(len(EDGES) + 2)
    band = np.searchsorted(edges[1:-1], values, side="right")
    document = np.unique(records.document.numpy()[known], return_inverse=True)[1]

    def counted(mask: np.ndarray) -> Int[np.ndarray, "band document"]:
        shape = len(EDGES) + 1, document.max(initial=-1) + 1
        flat = np.ravel_multi_index((band[mask], document[mask]), shape)
        return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)

    tokens, hits = counted(known[known]), np.stack([counted(mask) for mask in marks])
    rest, missed = tokens.sum(0) - tokens, hits.sum(1, keepdims=True) - hits
    shares = [[share_of_tokens(*row) for row in zip(h, tokens, strict=True)] for h in hits]
    ends = np.array(
        [
            [share_excess(h[i], tokens[i], m[i], rest[i], seed, comparisons=4) for i in (0, -1)]
            for h, m in zip(hits, missed, strict=True)
        ]
    )
    return {
        "band_edges": edges,
        "band_tokens": tokens.sum(-1),
        "band_hits": hits.sum(-1),
        "band_documents": (hits > 0).sum(-1),
        "band_share": np.array(shares),
        "end_excess": ends,
    }


def separated(records: Records, seed: int) -> dict[str, Any]:
    """AUC, precision and recall of every chosen neuron for every label, beside the model's own."""
    document = records.document.numpy()
    everything, known = np.ones(len(document), dtype=bool), records.next_is_known.numpy()
    follows, foil = records.next_is_target.numpy(), records.next_is_foil.numpy()
    top = records.top_is_target.numpy()
    labels = ((top, everything), (follows, known), (follows, follows | foil))

    def area(values: np.ndarray, positive: np.ndarray, among: np.ndarray) -> tuple[float, ...]:
        labelled = values[among], positive[among], document[among]
        return auc(*labelled[:2]), *auc_interval(*labelled, seed)

    columns = records.activations.double().numpy().T
    found = [
        [detector(values[among], positive[among], document[among]) for positive, among in labels]
        for values in columns
    ]
    p_target, logit_diff = (v.double().numpy() for v in (records.p_target, records.logit_diff))
    asked = columns[0][known], follows[known], document[known]
    gains = [
        auc_gain(values[known], *asked, seed, comparisons=len(columns) - 1)
        for values in columns[1:]
    ]

    def table(read: Callable[[Detector], Any]) -> np.ndarray:
        return np.array([[read(each) for each in row] for row in found])

    def spread(mask: np.ndarray) -> int:
        return len(np.unique(document[mask]))

    no_question = (np.nan, np.nan, np.nan)
    by_model = [no_question, area(p_target, *labels[1]), area(logit_diff, *labels[2])]
    return {
        "label_documents": np.array(
            [spread(top), spread(follows), min(spread(follows), spread(foil))]
        ),
        "auc": np.array([[area(values, *label) for label in labels] for values in columns]),
        "model_auc": np.array(by_model),
        "rival_gain": np.array(gains).reshape(-1, 3),
        "direction": table(lambda one: one.direction),
        "threshold": table(lambda one: one.threshold),
        "counts": table(lambda one: (one.detected, one.positives, one.hits)),
        "precision": table(lambda one: one.precision),
        "recall": table(lambda one: one.recall),
    }
