"""Both lists of neurons as one table."""

from analysis.experiments.find.compute import Found, summary
from analysis.tables import Listing, Rows


def _neurons(result: Found) -> Rows:
    answer = summary(result)
    names = [row["neuron"] for row in answer["by_patching"]]
    others = [row for row in answer["by_weights"] if row["neuron"] not in names]
    return [
        {
            "neuron": row["neuron"],
            "recovery": row["recovery"],
            "how": "patched" if row["measured"] else "estimate",
            "writes, logits per unit": row["logits"] * row.get("direction", 1)
            if row["logits"] is not None
            else None,
        }
        for row in [*answer["by_patching"], *others]
    ]


LISTING = Listing("The neurons that carry or write it most", _neurons)
