"""The direct effect as a table."""

from analysis.experiments.direct_effect.compute import DirectEffect, summary
from analysis.tables import Column, Rows, Table


def _written(result: DirectEffect) -> Rows:
    answer = summary(result)
    ends = (("raised", answer["top"]), ("lowered", answer["bottom"]))
    return [{"effect": effect, **row} for effect, rows in ends for row in rows]


TABLES = (
    Table(
        "direct_effect_tokens",
        "Tokens that the neuron raises and lowers most by its output weights, final norm frozen; "
        "logits per unit of positive activation over the norm's scale, centred.",
        _written,
        (
            Column("effect", "Effect", "text"),
            Column("token", "Token", "token"),
            Column("logit", "Logit"),
        ),
    ),
)
