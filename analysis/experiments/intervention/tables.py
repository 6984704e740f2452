"""One activation exchanged, as a table of its settings."""

from analysis.experiments.intervention.compute import Intervention, summary
from analysis.tables import Column, Listing, Rows, Table, part


def _without_spread(result: Intervention) -> Rows:
    return [{k: v for k, v in row.items() if k != "sd"} for row in summary(result)["settings"]]


TABLES = (
    Table(
        "intervention_settings",
        "One prompt's next token with the neuron's activation exchanged at its end.",
        part(summary, "settings"),
        (
            Column("setting", "Setting", "text"),
            Column("set_to", "Activation"),
            Column("logit_diff", "Logit difference"),
            Column("p_target", "P(target)"),
            Column("p_foil", "P(foil)"),
            Column("kl", "KL divergence"),
        ),
    ),
)
LISTING = Listing("Each setting, and what the model then writes", _without_spread)
