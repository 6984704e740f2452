"""Patching as a table: the heads."""

import numpy as np

from analysis.experiments.patching.compute import Patching
from analysis.tables import Listing, Rows

SHOWN = 20


def _heads(result: Patching) -> Rows:
    order = np.argsort(-np.abs(result.heads_restored), axis=None, kind="stable")[:SHOWN]
    places = [divmod(int(i), result.heads_restored.shape[1]) for i in order]
    return [
        {
            "head": f"L{layer}H{head}",
            "recovery": float(result.heads_restored[layer, head]),
            "lost when broken": float(result.heads_broken[layer, head]),
        }
        for layer, head in places
    ]


LISTING = Listing("Heads that carry most", _heads)
