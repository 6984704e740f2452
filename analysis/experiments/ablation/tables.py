"""The ablations as tables: on prompts and on the corpus."""

from analysis.experiments.ablation.compute import Ablation, tables
from analysis.tables import Column, Rows, Table


def _prompts(result: Ablation) -> Rows:
    rows: Rows = tables(result)["set"]
    return rows


def _corpus(result: Ablation) -> Rows:
    rows: Rows = tables(result)["corpus"]
    return rows


TABLES = (
    Table(
        "ablation_methods",
        "The neuron's activation replaced in prompts of either kind, by method: change of the "
        "logit difference, and how many matched neurons change it as much.",
        _prompts,
        (
            Column("calls_for", "Calls for", "token"),
            Column("method", "Method", "text"),
            Column("logit_diff_change", "Change", span="logit_diff_change_interval"),
            Column("matched_as_large", "Matched as large"),
        ),
    ),
    Table(
        "ablation_corpus",
        "The neuron's activation replaced everywhere in a corpus, by method: change of the loss "
        "of the text's own next token, and the divergence from the untouched model, both in "
        "thousandths of a nat.",
        _corpus,
        (
            Column("next_is_target", "Target follows", "text"),
            Column("method", "Method", "text"),
            Column("loss_change", "Change of loss", span="loss_change_interval", times=1000),
            Column("kl", "KL divergence", span="kl_interval", times=1000),
        ),
    ),
)
