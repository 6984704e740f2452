"""The census as a table."""

from analysis.experiments.census.compute import summary
from analysis.tables import NEURON, Column, Table, part

PRINTED = 200


TABLES = (
    Table(
        "census_pairs",
        "Words and neurons that are each other's best by output weights against unembedding.",
        part(summary, "pairs", PRINTED),
        (
            Column("token", "Token", "token"),
            NEURON,
            Column("token_gap", "Token gap"),
            Column("neuron_gap", "Neuron gap"),
            Column("score", "Score"),
        ),
    ),
)
