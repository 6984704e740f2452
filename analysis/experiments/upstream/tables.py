"""What drives the neuron as tables: the parts of its pre-activation."""

from analysis.experiments.upstream.compute import summary
from analysis.experiments.upstream.measured import Upstream
from analysis.tables import Column, Listing, Rows, Table

SHOWN = 20


def _parts(result: Upstream) -> Rows:
    """Both projections of a gated neuron, one below the other."""
    answer = summary(result)
    sides = [side for side in (answer, answer.get("up")) if side]
    return [{"projection": s["projection"], **row} for s in sides for row in s["parts"]]


def _largest_differences(result: Upstream) -> Rows:
    answer = summary(result)
    rows: Rows = answer.get(result.lead, answer)["parts"]
    rows = [{**row, "difference": row["value"] - row["corrupted"]} for row in rows]
    return sorted(rows, key=lambda row: -abs(row["difference"]))[:SHOWN]


TABLES = (
    Table(
        "upstream_parts",
        "Parts of the neuron's pre-activation at the last position, by the component that wrote "
        "them.",
        _parts,
        (
            Column("projection", "Projection", "text"),
            Column("name", "Component", "text"),
            Column("value", "Clean"),
            Column("corrupted", "Corrupted"),
        ),
    ),
)
LISTING = Listing(
    "The parts of what it reads that differ most between the prompts", _largest_differences
)
