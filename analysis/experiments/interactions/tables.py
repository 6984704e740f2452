"""Pairs of neurons as tables."""

import numpy as np

from analysis.experiments.interactions.compute import Interactions, summary
from analysis.tables import NEURON, Column, Listing, Rows, Table

PRINTED, SHOWN = 50, 10


def _pairs(result: Interactions) -> Rows:
    """The pairs whose excess is largest in size, in words."""
    rows: Rows = summary(result)["pairs"][:PRINTED]
    nothing = {"held_out_excess": np.nan, "held_out_interval": [np.nan, np.nan]}
    return [
        {
            **row,
            **({} if row["held_out_interval"] else nothing),
            "in_line": "in line" if row["in_line"] else "side by side",
        }
        for row in rows
    ]


def _listed(result: Interactions) -> Rows:
    """The first of them, without intervals."""
    left_out = {"held_out_interval", *([] if result.held_out else ["held_out_excess"])}
    rows = _pairs(result)[:SHOWN]
    return [{name: row[name] for name in row if name not in left_out} for row in rows]


TABLES = (
    Table(
        "interactions",
        "Pairs of neurons: recovery of each alone, of both together, the excess over the sum, and "
        "what the earlier one recovers through the later; the excess on held-out pairs, with "
        "bootstrap intervals.",
        _pairs,
        (
            NEURON,
            Column("other", "Other", "text"),
            Column("alone", "Alone"),
            Column("other_alone", "Other alone"),
            Column("together", "Together"),
            Column("excess", "Excess"),
            Column("through_other", "Through the other"),
            Column("held_out_excess", "Excess, held out", span="held_out_interval"),
            Column("kind", "Kind", "text"),
            Column("in_line", "Place", "text"),
        ),
    ),
)
LISTING = Listing("The pairs that add up least", _listed, folded=False)
