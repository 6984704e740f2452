"""The questions as a table."""

from typing import Any

from analysis.experiments.library.compute import summary
from analysis.experiments.library.facts import Row, facts
from analysis.experiments.library.measured import Library
from analysis.tables import NEURON, RECOVERY, Column, Listing, Rows, Table
from analysis.wording import number

VERDICTS = {
    "one": "one neuron",
    "crowd": "several alike",
    "none": "no single neuron",
    "untold": "the model does not tell these apart",
}
"""What is said of a question in a table."""

NEWS = ("precision", "precision_interval", "recall", "recall_interval", "rate")
"""Columns that have nothing where no news were read, or the target comes there too seldom."""


def _questions(result: Library) -> Rows:
    """Every question in the order of its recovery; one that is not told apart has no number."""
    rows = {row["name"]: row for row in summary(result)["questions"]}
    return [
        {
            **dict.fromkeys(NEWS),
            **rows[row.name],
            "verdict": VERDICTS[row.verdict],
            "half": half(row),
        }
        for row in facts(result).rows
    ]


def half(row: Row) -> str | None:
    """Neurons for half, with the interval; nothing of a question that is not told apart."""
    if row.verdict == "untold":
        return None
    beyond = f"over {row.largest:,}"
    size, low, high = (f"{each:,}" if each else beyond for each in row.needed)
    return size if low == high == size else f"{size} ({low} to {high})"


SHOWN = (
    *("title", "target", "foil", "verdict", "neuron", "recovery", "recovery_interval", "second"),
    *("lead", "lead_interval", "target_rank", "half", *NEWS),
)
NAMES = {"half": "neurons_for_half"}


def _short(result: Library) -> Rows:
    """The columns that matter; where there is no number, none."""
    rows: list[dict[str, Any]] = [
        {NAMES.get(name, name): _cell(row.get(name)) for name in SHOWN}
        for row in _questions(result)
    ]
    return rows


def _cell(value: Any) -> Any:
    """An interval as text; anything else as it is."""
    return " to ".join(map(number, value)) if isinstance(value, tuple) else value


TABLES = (
    Table(
        "library",
        "The best single neuron of each question, chosen on some pairs and confirmed on others, "
        "with intervals that hold at once; its lead over the next; neurons for half; precision and "
        "recall of a threshold on its activation as a sign of the target on news.",
        _questions,
        (
            Column("title", "Question", "text"),
            NEURON,
            Column("recovery", RECOVERY.heading, span="recovery_interval"),
            Column("lead", "Lead", span="lead_interval"),
            Column("target_rank", "Rank of target"),
            Column("half", "Neurons for half", "text"),
            Column("precision", "Precision", span="precision_interval"),
            Column("recall", "Recall", span="recall_interval"),
            Column("verdict", "", "text"),
        ),
    ),
)
LISTING = Listing("The best neuron of each question, on pairs that did not choose it", _short)
