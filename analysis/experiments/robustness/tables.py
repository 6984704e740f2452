"""Redraws and formats as tables."""

from analysis.experiments.robustness.compute import Robustness, summary
from analysis.tables import Column, Listing, Rows, Table, part


def _draws(result: Robustness) -> Rows:
    rows: Rows = summary(result)["draws"]
    return [{**row, "draw": number} for number, row in enumerate(rows, 1)]


TABLES = (
    Table(
        "robustness_draws",
        "Every weight drawn anew within one step of its rounding: recovery by denoising, what "
        "noising takes away, rank, and logit differences after the clean prompt, without and with "
        "the neuron's corrupted activation.",
        _draws,
        (
            Column("draw", "Redraw", "text"),
            Column("recovery", "Recovery"),
            Column("lost", "Lost"),
            Column("rank", "Rank", "text"),
            Column("clean", "Clean"),
            Column("noised", "Noised"),
        ),
    ),
    Table(
        "robustness_formats",
        "Prompt formats: recovery, and AUC over words with 95 % intervals.",
        part(summary, "formats"),
        (
            Column("format", "Format", "text"),
            Column("recovery", "Recovery"),
            Column("auc_activation", "AUC, neuron", span="auc_activation_interval"),
            Column("auc_logit_diff", "AUC, answer", span="auc_logit_diff_interval"),
            Column("rank", "Rank", "text"),
        ),
    ),
)

SHOWN = ("format", "recovery", "lost", "rank", "auc_activation", "preferred_target")
LISTING = Listing("Neuron and answer by prompt format", part(summary, "formats", only=SHOWN))
