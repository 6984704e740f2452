"""Rows as LaTeX, for print."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from analysis.answer import plain
from analysis.tables import Column, Rows, Table
from report.artifacts import latex
from report.artifacts.notes import note

PRINTED = 20
"""Rows of a printed table; the CSV has all."""

SHAPES = {"number": "r", "sentence": "p{0.45\\linewidth}"}


def as_latex(table: Table, rows: Rows, about: str) -> str:
    """Rows as a floating table with booktabs rules, cut where they are more than a page takes.

    Args:
        table: its name, caption and columns; its label is ``tab:NAME``.
        rows: what stands in it.
        about: the model and question, as LaTeX, for the end of the caption.
    """
    cut = f" {note('cut', shown=PRINTED, rows=len(rows))}" if len(rows) > PRINTED else ""
    shape = "".join(SHAPES.get(column.kind, "l") for column in table.columns)
    lines = [
        "% Wants \\usepackage[T1]{fontenc} and \\usepackage{booktabs}.",
        "\\begin{table}",
        "  \\centering\\small",
        "  \\setlength{\\belowcaptionskip}{6pt}",
        f"  \\caption{{{latex.prose(table.caption + cut)} {about}}}",
        f"  \\label{{tab:{table.name}}}",
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
            yield latex.prose(("no", "yes")[value] if isinstance(value, bool) else str(value))
        elif column.span:
            low, high = (_number(end, column) for end in row[column.span])
            yield f"{_number(value, column)} ({low} to {high})"
        else:
            yield _number(value, column)


def _number(value: float | int | None, column: Column) -> str:
    return latex.number(value if value is None or column.times == 1 else value * column.times)
