"""Tokens and letters."""

from analysis.tables import Column, Listing, Rows, Table
from tests.toy_experiment.compute import ToyExperiment, summary


def _tokens(result: ToyExperiment) -> Rows:
    rows: Rows = summary(result)["tokens"]
    return rows


TABLES = (
    Table(
        "toy_letters",
        "Tokens of the clean prompt and their letters.",
        _tokens,
        (Column("token", "Token", "token"), Column("letters", "Letters")),
    ),
)
LISTING = Listing("Tokens and their letters", _tokens)
