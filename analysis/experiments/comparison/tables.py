"""The models as a table."""

from analysis.experiments.comparison.compute import summary
from analysis.experiments.comparison.measured import Comparison
from analysis.tables import NEURON, RECOVERY, Column, Rows, Table


def _models(result: Comparison) -> Rows:
    """Models with what they answer to the clean and to the corrupted prompt named."""
    sides, measures = ("clean", "corrupted"), ("p_target", "logit_diff", "activation")
    return [
        {**row, **{name: dict(zip(sides, row[name], strict=True)) for name in measures}}
        for row in summary(result)["models"]
    ]


TABLES = (
    Table(
        "comparison",
        "The best neuron of each model, chosen and confirmed in the same way.",
        _models,
        (
            Column("name", "Model", "text"),
            NEURON,
            RECOVERY,
            Column("held_out", "Held out", span="held_out_interval"),
            Column("target_rank", "Rank of target"),
        ),
    ),
)
