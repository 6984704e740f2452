"""Pairs that a visitor pasted: lines with bars, lines of a spreadsheet, or the text of a file."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from analysis.errors import UserError
from analysis.questions.pair_files import COLUMNS, read_pairs
from analysis.questions.parts import same
from analysis.token_sets import BAR, mistake
from space.settings import MOST_PAIRS

LINE = "clean | corrupted, or clean | corrupted | target | foil"
TABLES = (
    "Tabs part columns, too; a CSV table or JSON lines are read as the command line reads them."
)

_BARS = (re.compile(r"(?<=\s)\|"), re.compile(r"(?<!\\)\|"))
"""What parts the columns of a line: bars with a space before them, so that those of a set of words
(`` is| was``) do not; where that makes no pair, every bar."""


def pasted_pairs(lines: str, words: dict[str, str]) -> dict[str, Any]:
    """The parts of a question: the first pair is its own, the others confirm it.

    Args:
        lines: what was pasted; a table with a heading is read as a file of pairs is.
        words: target and foil of the lines that name none.

    Raises:
        UserError: a line is no pair, named by its number, or there are too many.
    """
    lines = _with_commas(lines.removeprefix("\ufeff"))
    if name := _file(lines):
        parts = read_pairs(name, lines.strip())
        _check_number(1 + len(parts["pairs"]))
        return parts
    rows = {number: {**words, **row} for number, row in _rows(lines)}
    _check_number(len(rows))
    _check_once(rows)
    first, *others = rows.values()
    return {**first, "pairs": others}


def _check_number(pairs: int) -> None:
    if pairs > MOST_PAIRS:
        raise UserError(f"There are {pairs} pairs: at most {MOST_PAIRS} are read here.")


def _check_once(rows: dict[int, dict[str, str]]) -> None:
    """Refuse a pair that stands twice: it would choose a neuron and confirm it, too."""
    lines: dict[Any, int] = {}
    for number, row in rows.items():
        before = lines.setdefault(same(**row), number)
        if before != number:
            raise UserError(f"Line {number} is the pair of line {before}: leave one out.")


def _with_commas(lines: str) -> str:
    """A spreadsheet's table with a heading as CSV; all else as it is."""
    if not {*COLUMNS[:2]} <= {*lines.strip().partition("\n")[0].strip("\r").split("\t")}:
        return lines
    table = io.StringIO()
    csv.writer(table).writerows(csv.reader(lines.strip("\r\n").splitlines(), delimiter="\t"))
    return table.getvalue()


def _file(lines: str) -> str:
    """The name of a file that would hold this; empty where each line has its columns by itself."""
    first = lines.strip().partition("\n")[0]
    heading = [name.strip(' "\r') for name in first.split(",")]
    if {*COLUMNS[:2]} <= {*heading}:
        return "pairs.csv"
    return "pairs.jsonl" if first.startswith('{"') else ""


def _rows(lines: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The pairs by line."""
    for number, line in enumerate(lines.splitlines(), 1):
        if line.strip():
            yield number, _row(f"Line {number} of the pairs", line)


def _row(where: str, line: str) -> dict[str, str]:
    """A target keeps its leading space, which parts it from its bar."""
    values = _columns(line)
    if not values or not all(map(str.strip, values)):
        raise UserError(f"{where} has another form: write {LINE}.")
    clean, corrupted, *words = values
    row = {"clean": clean.strip(), "corrupted": corrupted.strip()}
    if not words:
        return row
    target, foil = map(str.rstrip, words)
    if wrong := mistake(target, foil):
        raise UserError(f"{where}: {wrong}.")
    return {**row, "target": target, "foil": foil}


def _columns(line: str) -> list[str]:
    """Its two or four columns; none where it has another number."""
    if "\t" in line:
        ways = [line.strip("\r\n").split("\t")]
    else:
        ways = [bars.split(line) for bars in _BARS]
        ways = [found for found in ways if BAR not in "".join(found[:2])]
    return next((found for found in ways if len(found) in (2, 4)), [])
