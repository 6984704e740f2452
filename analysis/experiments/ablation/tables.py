"""The ablations as tables: on prompts and on the corpus."""

from analysis.experiments.ablation.compute import tables
from analysis.tables import Column, Table, part

TABLES = (
    Table(
        "ablation_methods",
        "The neuron's activation replaced in prompts of either kind, by method: change of the "
        "logit difference, after how many prompts the target is then preferred, and how many "
        "matched neurons change it as much.",
        part(tables, "set"),
        (
            Column("calls_for", "Calls for", "token"),
            Column("method", "Method", "text"),
            Column("logit_diff_change", "Change", span="logit_diff_change_interval"),
            Column("change_size", "Mean size", span="change_size_interval"),
            Column("target_preferred", "Target preferred", "text"),
            Column("matched_as_large", "Matched as large", "text"),
        ),
    ),
    Table(
        "ablation_separation",
        "How well the logit difference tells prompts that call for the target from prompts that "
        "call for the foil, untouched and with the neuron ablated.",
        part(tables, "separation"),
        (
            Column("method", "Method", "text"),
            Column("auc", "AUC", span="auc_interval"),
            Column("gap", "Gap (logits)", span="gap_interval"),
        ),
    ),
    Table(
        "ablation_corpus",
        "The neuron's activation replaced everywhere in a corpus, by method: change of the loss "
        "of the text's own next token, and the divergence from the untouched model, both in "
        "thousandths of a nat.",
        part(tables, "corpus"),
        (
            Column("next_is_target", "Target follows", "text"),
            Column("method", "Method", "text"),
            Column("loss_change", "Change of loss", span="loss_change_interval", times=1000),
            Column("kl", "KL divergence", span="kl_interval", times=1000),
        ),
    ),
)
