"""A transplant and its controls as a table."""

from analysis.experiments.transplant.compute import summary
from analysis.experiments.transplant.found import Transplant
from analysis.tables import Column, Listing, Rows, Table


def variants(result: Transplant) -> Rows:
    """A row for each variant: its gain in the margin on each ground, and what it costs."""
    found = summary(result)
    return [
        {
            "variant": row["variant"],
            **{name: gains["margin"]["value"] for name, gains in row["gains"].items()},
            **{
                f"{name}_interval": gains["margin"]["interval"]
                for name, gains in row["gains"].items()
            },
            "cost": row["cost"]["value"],
            "cost_interval": row["cost"]["interval"],
            "kl": row["kl"]["value"],
        }
        for row in (*found["grafts"], *found["controls"])
    ]


TABLES = (
    Table(
        "transplant",
        "A neuron copied into another model, and controls: gain in the margin, in logits, on "
        "held-out words, sentences and articles, and the change of the loss of ordinary text.",
        variants,
        (
            Column("variant", "Given", "text"),
            Column("words", "Words", span="words_interval"),
            Column("templates", "Sentences", span="templates_interval"),
            Column("natural", "Articles", span="natural_interval"),
            Column("cost", "Loss", span="cost_interval"),
        ),
    ),
)


GLANCE = {
    "variant": "given",
    "words": "other_words",
    "templates": "other_sentences",
    "natural": "other_articles",
    "cost": "loss",
    "kl": "kl",
}
"""Columns without their intervals, as the figure names them."""


def _listed(result: Transplant) -> Rows:
    return [{name: row[key] for key, name in GLANCE.items()} for row in variants(result)]


LISTING = Listing("The graft and its controls", _listed)
