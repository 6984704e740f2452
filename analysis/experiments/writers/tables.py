"""The neurons that write a token, as a table."""

from analysis.experiments.writers.compute import Writers, summary
from analysis.tables import Listing, Rows


def _neurons(result: Writers) -> Rows:
    return [
        {
            "neuron": row["neuron"],
            "direction": "above zero" if row["logits"] >= 0 else "below zero",
            "writes, logits per unit": row["logits"],
        }
        for row in summary(result)["neurons"]
    ]


LISTING = Listing("The neurons that write it most", _neurons)
