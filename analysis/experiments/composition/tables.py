"""The split of the effect as tables."""

from analysis.experiments.composition.compute import Composition, summary
from analysis.tables import Column, Listing, Rows, Table, part

SHOWN = 10


def _largest(result: Composition) -> Rows:
    answer = summary(result)
    return [*answer["by_component"][:SHOWN], *answer["neurons"][:SHOWN]]


TABLES = (
    Table(
        "composition_components",
        "Later components that read the neuron: the single path through each, and what each "
        "writes differently in the full run, in logits of target minus foil.",
        part(summary, "by_component"),
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
        part(summary, "pushes"),
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
