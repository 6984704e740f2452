"""The circuit as tables."""

from analysis.experiments.circuit.measured import Circuit, curve_rows, edge_rows, node_rows
from analysis.tables import Column, Listing, Rows, Table


def _sizes(result: Circuit) -> Rows:
    return [{**row, "nodes": f"{row['nodes']:,}"} for row in curve_rows(result)]


TABLES = (
    Table(
        "circuit",
        "Edges of the circuit: what each alone brings back, as a share of the difference, by exact "
        "path patching.",
        edge_rows,
        (
            Column("sender", "From", "text"),
            Column("sender_position", "at", "text"),
            Column("receiver", "To", "text"),
            Column("receiver_position", "at", "text"),
            Column("effect", "Moves"),
        ),
    ),
    Table(
        "circuit_nodes",
        "Nodes of the circuit: what the clean value of each restores alone, and what is lost "
        "without it.",
        node_rows,
        (
            Column("name", "Node", "text"),
            Column("position", "at", "text"),
            Column("token", "Token", "token"),
            Column("restored", "Restored"),
            Column("lost", "Lost"),
        ),
    ),
    Table(
        "circuit_sizes",
        "What the first nodes alone, all others, and random nodes bring back, by their number.",
        _sizes,
        (
            Column("nodes", "Nodes", "text"),
            Column("share", "Share of all"),
            Column("alone", "Alone"),
            Column("without", "All others"),
            Column("random", "Random"),
        ),
    ),
)
LISTING = Listing("The edges that are drawn, the strongest first", edge_rows)
NODES = Listing("Their nodes, in the order in which they are computed", node_rows)
