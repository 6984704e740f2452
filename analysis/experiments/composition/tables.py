"""The split of the effect as tables."""

from analysis.experiments.composition.compute import Composition, summary
from analysis.tables import Column, Listing, Rows, Table

SHOWN = 10


def _components(result: Composition) -> Rows:
    rows: Rows = summary(result)["by_component"]
    return rows


def _pushes(result: Composition) -> Rows:
    rows: Rows = summary(result)["pushes"]
    return rows


def _largest(result: Composition) -> Rows:
    answer = summary(result)
    return [*answer["by_component"][:SHOWN], *answer["neurons"][:SHOWN]]


TABLES = (
    Table(
        "composition_components",
        "Later components that read the neuron: the single path through each, and what each "
        "writes differently in the full run, in logits of target minus foil.",
        _components,
        (
            Column("name", "Component", "text"),
            Column("effect", "Single path"),
            Column("in_full_run", "Full run"),
        ),
    ),
    Table(
        "composition_pushes",
        "What later components write differently when the neuron's write is replaced by its "
        "unembedding part, by the rest, or by random directions (mean size), in logits of target "
        "minus foil; means over held-out pairs.",
        _pushes,
        (
            Column("name", "Component", "text"),
            Column("write", "Whole write"),
            Column("part", "Part"),
            Column("rest", "Rest"),
            Column("random", "Random"),
        ),
    ),
)
LISTING = Listing("Later components and neurons that add or take back most", _largest)
