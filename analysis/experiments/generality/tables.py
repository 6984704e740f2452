"""Other words and sentences as a table."""

from analysis.experiments.generality.compute import summary
from analysis.tables import Column, Listing, Table, part

TABLES = (
    Table(
        "generality_templates",
        "How well the neuron's activation tells words that call for the target from those that "
        "call for the foil, by sentence; where it falls for the target, by how low it is.",
        part(summary, "templates"),
        (
            Column("template", "Sentence", "sentence"),
            Column("auc_signed", "AUC", span="auc_signed_interval"),
            Column("matched_with_as_high_an_auc", "Matched as good"),
        ),
    ),
)
SHOWN = ("template", "held_out", "auc_signed", "p_shuffled", "logit_diff_auc")
LISTING = Listing(
    "How well neuron and answer tell the words apart, by sentence",
    part(summary, "templates", only=SHOWN),
)
