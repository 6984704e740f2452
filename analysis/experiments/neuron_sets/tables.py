"""Sets of neurons as tables."""

from typing import Any

import numpy as np

from analysis.experiments.neuron_sets.compute import summary
from analysis.experiments.neuron_sets.measured import NeuronSets
from analysis.tables import NEURON, Column, Listing, Rows, Table

LISTED = 10


def _curves(result: NeuronSets) -> Rows:
    """A row for each size: what either order recovers, held out where there are pairs."""
    found = summary(result)
    orders, held_out = found["curves"], found["held_out"]
    rows = []
    for i, k in enumerate(result.control_sizes.tolist()):
        row: dict[str, Any] = {"k": f"{k:,}"}
        for name in orders:
            (found,) = [each for each in orders[name] if each["k"] == k]
            row[name] = found["recovery"]
        row |= {"held_out": np.nan, "held_out_interval": [np.nan, np.nan]}
        if held_out:
            found = held_out["curves"]["greedy"][i]
            row |= {"held_out": found["recovery"], "held_out_interval": found["recovery_interval"]}
        rows.append(row)
    return rows


def _members(result: NeuronSets) -> Rows:
    """The neurons in the order in which they join, with what the set then recovers."""
    names, (recovery, lost) = result.names("greedy"), result.shares[:, 2].tolist()
    return [
        {"k": k, "neuron": names[k - 1], "recovery": share, "lost": gone}
        for k, share, gone in zip(result.sizes.tolist(), recovery, lost, strict=True)
        if k <= LISTED
    ]


def printed(result: NeuronSets) -> dict[str, Any]:
    """The result for a reader: rows of a few columns, in place of orders and nested curves."""
    found = summary(result)
    held_out = found["held_out"]
    smallest = [
        {"share": share, **{f"{name} K": k for name, k in orders.items()}}
        for share, orders in found["smallest"].items()
    ]
    for row in smallest if held_out else ():
        confirmed = held_out["smallest"][row["share"]]["greedy"] or {}
        row |= {
            "held_out": confirmed.get("recovery"),
            "held_out_interval": confirmed.get("interval"),
        }
    left_out = {"order", "curves", "continuations", "held_out", "smallest"}
    return {
        **{name: value for name, value in found.items() if name not in left_out},
        "recovery": _curves(result),
        "smallest": smallest,
        "greedy": _members(result),
        **({"held_out_pairs": held_out["pairs"]} if held_out else {}),
    }


SIZE = Column("k", "Neurons", "text")
TABLES = (
    Table(
        "neuron_sets",
        "Recovery of the first K neurons together, by order, of random sets and of sets matched in "
        "layer and activation; the greedy sets on held-out pairs, with bootstrap intervals.",
        _curves,
        (
            SIZE,
            Column("exact", "By patching"),
            Column("attribution", "By gradient"),
            Column("greedy", "Greedy"),
            Column("random", "Random"),
            Column("matched", "Matched"),
            Column("held_out", "Greedy, held out", span="held_out_interval"),
        ),
    ),
    Table(
        "neuron_sets_members",
        "Neurons in the order in which each adds most to those before it.",
        _members,
        (SIZE, NEURON, Column("recovery", "Recovery together"), Column("lost", "Lost together")),
    ),
)
LISTING = Listing("The neurons that join first, and what they recover together", _members)
