"""Questions out of tables: pairs of prompts by the line, as CSV or JSONL."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from analysis.errors import UserError
from analysis.questions.parts import same
from analysis.token_sets import mistake

COLUMNS = ("clean", "corrupted", "target", "foil")
MOST = 1000
"""Pairs of a file: a sweep takes seconds for each."""

Row = dict[str, str]


def read_pairs(path: str, text: str) -> dict[str, Any]:
    """The parts of a question: the first row is its own pair, the others are more pairs.

    Args:
        path: for messages; ``.csv`` has a heading line, ``.jsonl`` an object a line.
        text: what the file holds.

    Raises:
        UserError: a row is no pair, named by its line; nothing is left out in silence.
    """
    rows = list(_csv_rows(path, text) if path.endswith(".csv") else _json_rows(path, text))
    if not rows:
        raise UserError(f"{path} holds no pair: give a row for each, with {_listed(COLUMNS)}.")
    _check_once(path, rows)
    first, *others = (row for _, row in rows)
    return {**first, "pairs": [_unlike(first, row) for row in others]}


def _check_once(path: str, rows: Sequence[tuple[int, Row]]) -> None:
    """Refuse a pair that stands twice: it would choose a neuron and confirm it, too."""
    lines: dict[Any, int] = {}
    for line, row in rows:
        before = lines.setdefault(same(**row), line)
        if before != line:
            raise UserError(f"{path}: line {line} is the pair of line {before}: leave one out.")


def _unlike(first: Row, row: Row) -> Row:
    """A row without the words that are the question's own."""
    return {k: v for k, v in row.items() if k in COLUMNS[:2] or v != first[k]}


def _csv_rows(path: str, text: str) -> Iterator[tuple[int, Row]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heading = [name.strip() for name in next(reader, [])]
        missing = [name for name in COLUMNS if name not in heading]
        if missing or len(set(heading)) < len(heading):
            raise UserError(
                f"{path}: line 1 names the columns {_listed(heading) or 'none'}: "
                f"it needs {_listed(COLUMNS)}, each once."
            )
        for values in reader:
            if len(values) != len(heading) and any(values):
                raise UserError(
                    f"{path}: line {reader.line_num} has {len(values)} values for "
                    f"{len(heading)} columns: quote texts that hold commas."
                )
            if any(values):
                row = dict(zip(heading, values, strict=True))
                yield reader.line_num, _row(path, reader.line_num, row)
    except csv.Error as error:
        raise UserError(f"{path}: line {reader.line_num} is no CSV ({error}).") from error


def _json_rows(path: str, text: str) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}: line {number} is no JSON ({error}).") from error
        if not isinstance(values, dict):
            raise UserError(f"{path}: line {number} is no object with {_listed(COLUMNS)}.")
        yield number, _row(path, number, values)


def _row(path: str, number: int, values: dict[str, Any]) -> Row:
    """The columns that make a pair; others are left alone."""
    if number > MOST + 1:
        raise UserError(f"{path} holds more than {MOST:,} pairs: keep the best of them.")
    row = {}
    for name in COLUMNS:
        value = values.get(name)
        if not isinstance(value, str) or not value.strip():
            raise UserError(f"{path}: line {number} has no {name}: give a text.")
        row[name] = value
    if row["target"] == row["foil"]:
        raise UserError(f"{path}: line {number} has {row['target']!r} for both target and foil.")
    if wrong := mistake(row["target"], row["foil"]):
        raise UserError(f"{path}: line {number}: {wrong}.")
    return row


def _listed(names: "tuple[str, ...] | list[str]") -> str:
    return ", ".join(names)[:200]
