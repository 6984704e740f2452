"""The neurons that write a token, as a table."""

from analysis.experiments.writers.compute import Writers, summary
from analysis.tables import Listing, Rows

SIDES = {1: "above zero", -1: "below zero"}


def _neurons(result: Writers) -> Rows:
    return [{**row, "direction": SIDES[row["direction"]]} for row in summary(result)["neurons"]]


LISTING = Listing("The neurons that write it most", _neurons)
