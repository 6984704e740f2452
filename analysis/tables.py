"""What the tables of an experiment are: which rows of its Result, and which columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["number", "text", "token", "sentence"]
Rows = Sequence[Mapping[str, Any]]


def part(
    values: Callable[..., Mapping[str, Any]], key: str, *shown: Any, only: Sequence[str] = ()
) -> Callable[[Any], Rows]:
    """From a Result to one list of its plain values.

    Args:
        values: from the Result to all of its plain values.
        key: of the list.
        shown: of which it may show so many.
        only: the columns that matter, in their order; all where none are named.
    """

    def rows(result: Any) -> Rows:
        found: Rows = values(result, *shown)[key]
        return [{name: row[name] for name in only} for row in found] if only else found

    return rows


@dataclass(frozen=True)
class Column:
    """A column of a printed table.

    Attributes:
        key: name of the column in the rows.
        heading: what stands above it.
        kind: how its cells are written.
        span: key of the interval that stands beside each number, if any.
        times: what the numbers are multiplied by, for a unit that suits them.
    """

    key: str
    heading: str
    kind: Kind = "number"
    span: str = ""
    times: float = 1


@dataclass(frozen=True)
class Table:
    """One table for a paper.

    Attributes:
        name: of its file.
        caption: what it shows, without numbers.
        rows: from the Result to its rows.
        columns: those that are printed; the CSV has all that the rows have.
    """

    name: str
    caption: str
    rows: Callable[[Any], Rows]
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Listing:
    """The rows that stand below an answer: the ones that matter, the rest is in its JSON.

    Attributes:
        label: what they are.
        rows: from the Result to its rows.
        folded: whether they are folded away at first.
    """

    label: str
    rows: Callable[[Any], Rows]
    folded: bool = False


NEURON = Column("neuron", "Neuron", "text")
RECOVERY = Column("recovery", "Recovery")
