"""The corpus scan as tables: examples by activation."""

from analysis.experiments.corpus_scan.compute import CorpusScan, summary
from analysis.tables import Column, Listing, Rows, Table


def _quantiles(result: CorpusScan) -> Rows:
    rows: Rows = summary(result)["quantiles"]
    return rows


def _examples(result: CorpusScan) -> Rows:
    answer = summary(result)
    groups = (
        ("highest", answer["top"]),
        ("lowest", answer["bottom"]),
        ("quantile", answer["quantiles"]),
    )
    return [{"kind": kind, **row} for kind, rows in groups for row in rows]


TABLES = (
    Table(
        "corpus_quantiles",
        "Tokens of the corpus at quantiles of the neuron's activation.",
        _quantiles,
        (
            Column("quantile", "Quantile"),
            Column("value", "Activation"),
            Column("token", "Token", "token"),
            Column("next", "Next", "token"),
        ),
    ),
)
LISTING = Listing("Where the neuron is highest, lowest, and in between", _examples)
