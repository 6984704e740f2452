"""Published beside computed, as tables."""

from analysis.experiments.verification.compute import summary
from analysis.tables import Column, Table, part

TABLES = (
    Table(
        "verification_circuit",
        "Heads and neurons that a later study named around the original's neuron: what they "
        "recover here, alone and together, patched at all positions.",
        part(summary, "circuit"),
        (
            Column("members", "Patched", "text"),
            Column("role", "Named as", "text"),
            Column("recovery", "Recovery"),
        ),
    ),
    Table(
        "verification",
        "The original study's published numbers computed anew by its own conventions: how many "
        "agree, and the one furthest off by its tolerance.",
        part(summary, "groups"),
        (
            Column("group", "Published in", "text"),
            Column("numbers", "Numbers"),
            Column("agree", "Agree"),
            Column("furthest_off", "Furthest off", "text"),
            Column("by", "By"),
            Column("tolerance", "Tolerance"),
        ),
    ),
    Table(
        "verification_numbers",
        "The original study's published numbers beside the same computed here.",
        part(summary, "numbers"),
        (
            Column("name", "Number", "text"),
            Column("published", "Published"),
            Column("here", "Here"),
            Column("tolerance", "Tolerance"),
            Column("verdict", "Verdict", "text"),
        ),
    ),
)
