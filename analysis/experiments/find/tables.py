"""Both lists of neurons, and those that work against the answer, as one table."""

from typing import Any

from analysis.experiments.find.compute import Found, summary
from analysis.tables import Listing, Rows


def _neurons(result: Found) -> Rows:
    answer = summary(result)
    rows = [*answer["by_patching"], *answer["by_weights"], *answer["against"][::-1]]
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        first.setdefault(row["neuron"], row)
    return [
        {
            "neuron": row["neuron"],
            "recovery": row["recovery"],
            "how": "patched" if row["measured"] else "estimate",
            "writes, logits per unit": row["logits"],
        }
        for row in first.values()
    ]


LISTING = Listing("The neurons that carry it, write it or work against it most", _neurons)
