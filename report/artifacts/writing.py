"""Rows as CSV for programs, and as LaTeX for print."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from analysis.answer import plain
from report.artifacts import latex
from report.artifacts.tables import Column, Rows, Table

PRINTED = 20
"""Rows of a printed table; the CSV has all."""

TOKENS = ("token", "next", "context", "calls_for", "continuation")
"""Columns that hold what a model wrote or read."""

SHAPES = {"number": "r", "sentence": "p{0.45\\linewidth}"}
INTERVALS = ("interval", "shuffled")
FORMULAS = (*"=+-@＝＋－＠", '"')


def as_csv(rows: Rows) -> str:
    """Rows as comma-separated values, with a heading.

    Tokens are JSON strings: their spaces are seen and kept, and no spreadsheet takes one for a
    formula. Other text is written so only where it begins like a formula or has control characters.
    """
    flat = [dict(_flat(row)) for row in plain(list(rows))]
    names = list(dict.fromkeys(name for row in flat for name in row))
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(names)
    table.writerows([_cell(name, row.get(name)) for name in names] for row in flat)
    return file.getvalue()


def _flat(row: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Values by name, an interval as its two ends; other lists are left out."""
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}_")
        elif not isinstance(value, list):
            yield above + name, value
        elif len(value) == 2 and name.endswith(INTERVALS):
            yield from zip((f"{above}{name}_low", f"{above}{name}_high"), value, strict=True)


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return value
    risky = value.startswith(FORMULAS) or not value.isprintable()
    return json.dumps(value) if name in TOKENS or risky else value


def as_latex(name: str, table: Table, rows: Rows, about: str) -> str:
    """Rows as a floating table with booktabs rules, cut where they are more than a page takes.

    Args:
        name: of the table; its label is ``tab:NAME``.
        table: caption and columns.
        rows: what stands in it.
        about: the model and question, as LaTeX, for the end of the caption.
    """
    cut = f" The first {PRINTED} of {len(rows)}." if len(rows) > PRINTED else ""
    shape = "".join(SHAPES.get(column.kind, "l") for column in table.columns)
    lines = [
        "% Wants \\usepackage[T1]{fontenc} and \\usepackage{booktabs}.",
        "\\begin{table}",
        "  \\centering\\small",
        "  \\setlength{\\belowcaptionskip}{6pt}",
        f"  \\caption{{{latex.prose(table.caption + cut)} {about}}}",
        f"  \\label{{tab:{name}}}",
        f"  \\begin{{tabular}}{{{shape}}}",
        "    \\toprule",
        _line(latex.prose(column.heading) for column in table.columns),
        "    \\midrule",
        *(_line(_printed(table.columns, row)) for row in plain(list(rows[:PRINTED]))),
        "    \\bottomrule",
        "  \\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _printed(columns: Sequence[Column], row: Mapping[str, Any]) -> Iterator[str]:
    for column in columns:
        value = row[column.key]
        if column.kind == "token":
            yield latex.token(value)
        elif column.kind != "number":
            yield latex.prose({True: "yes", False: "no"}.get(value, str(value)))
        elif column.span:
            low, high = (_number(end, column) for end in row[column.span])
            yield f"{_number(value, column)} ({low} to {high})"
        else:
            yield _number(value, column)


def _number(value: float | int | None, column: Column) -> str:
    return latex.number(value if value is None or column.times == 1 else value * column.times)
