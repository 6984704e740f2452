"""The census as a table."""

from analysis.experiments.census.compute import Census, summary
from analysis.tables import NEURON, Column, Rows, Table

PRINTED = 200


def _pairs(result: Census) -> Rows:
    rows: Rows = summary(result, PRINTED)["pairs"]
    return rows


TABLES = (
    Table(
        "census_pairs",
        "Words and neurons that are each other's best by output weights against unembedding.",
        _pairs,
        (
            Column("token", "Token", "token"),
            NEURON,
            Column("token_gap", "Token gap"),
            Column("neuron_gap", "Neuron gap"),
            Column("score", "Score"),
        ),
    ),
)
