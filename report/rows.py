"""The rows that an experiment lists, as a table of the page."""

from dataclasses import dataclass
from typing import Any

from analysis.answer import WRITTEN, plain
from analysis.declaration import Experiment
from analysis.evidence import Evidence
from analysis.tables import Listing, Rows
from analysis.wording import MINUS, token

DIGITS = 3


@dataclass(frozen=True)
class Listed:
    """What the rows are, names of their columns, and their cells as they are read."""

    label: str
    columns: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


def listed(experiment: Experiment, evidence: Evidence, name: str = "LISTING") -> Listed | None:
    """The rows that an experiment lists of its result by a name; None where it lists none."""
    found: Listing | None = experiment.part("tables", name)
    return listed_rows(found, evidence.results[experiment.name]) if found else None


def rows_of(experiment: Experiment, evidence: Evidence, name: str) -> Rows:
    """Rows of a result that a section writes out itself: a function of the experiment's tables."""
    found: Rows = getattr(experiment.module("tables"), name)(evidence.results[experiment.name])
    return found


def listed_rows(listing: Listing, result: Any) -> Listed:
    """The rows of one result, as they are read."""
    rows = [plain(dict(row)) for row in listing.rows(result)]
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    cells = tuple(tuple(_cell(name, row.get(name)) for name in columns) for row in rows)
    return Listed(listing.label, columns, cells)


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return token(value) if column in WRITTEN else value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        shown = f"{value:.{DIGITS}g}" if isinstance(value, float) else f"{value:,}"
        return shown.replace("-", MINUS)
    return " to ".join(_cell(column, each) for each in value)
