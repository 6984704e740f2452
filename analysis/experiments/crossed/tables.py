"""Example, frame and word as tables."""

from analysis.experiments.crossed.compute import Crossed, summary
from analysis.tables import Column, Listing, Rows, Table, part


def _variance(result: Crossed) -> Rows:
    parts = summary(result)["variance"]
    return [{"factor": name, **found} for name, found in parts.items()]


TABLES = (
    Table(
        "crossed_examples",
        "AUC after each example, over frames and words: of the neuron by rule and by cue, and of "
        "the model's answer by rule, with the neuron and without it.",
        part(summary, "examples"),
        (
            Column("example", "Example", "sentence"),
            Column("rule_auc_activation", "By rule", span="rule_auc_activation_interval"),
            Column("cue_auc_activation", "By cue", span="cue_auc_activation_interval"),
            Column("rule_auc_logit_diff", "Answer", span="rule_auc_logit_diff_interval"),
            Column("rule_auc_ablated", "Without", span="rule_auc_ablated_interval"),
        ),
    ),
    Table(
        "crossed_variance",
        "Shares of the variance of the neuron's activation over examples, frames and words.",
        _variance,
        (
            Column("factor", "Factor", "text"),
            Column("share", "Share of variance", span="interval"),
        ),
    ),
)

SHOWN = ("example", "rule_auc_activation", "cue_auc_activation", "rule_auc_logit_diff")
LISTING = Listing(
    "How well neuron and answer tell the words apart, by example",
    part(summary, "examples", only=SHOWN),
)
