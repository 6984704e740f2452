"""Pairs of neurons as tables."""

from analysis.experiments.interactions.compute import Interactions, summary
from analysis.tables import NEURON, Column, Listing, Rows, Table

PRINTED, SHOWN = 50, 10


def _pairs(result: Interactions) -> Rows:
    """The pairs whose excess is largest in size, in words."""
    rows: Rows = summary(result)["pairs"][:PRINTED]
    return [{**row, "in_line": "in line" if row["in_line"] else "side by side"} for row in rows]


TABLES = (
    Table(
        "interactions",
        "Pairs of neurons: recovery of each alone, of both together, the excess over the sum, and "
        "what the earlier one recovers through the later.",
        _pairs,
        (
            NEURON,
            Column("other", "Other", "text"),
            Column("alone", "Alone"),
            Column("other_alone", "Other alone"),
            Column("together", "Together"),
            Column("excess", "Excess"),
            Column("through_other", "Through the other"),
            Column("kind", "Kind", "text"),
            Column("in_line", "Place", "text"),
        ),
    ),
)
LISTING = Listing(
    "The pairs that add up least", lambda result: _pairs(result)[:SHOWN], folded=False
)
