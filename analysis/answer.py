"""An answer as JSON and as CSV, and the command line that gives it."""

import csv
import io
import json
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

DIGITS = 6
"""Significant digits of a number: more than any of these computations repeats elsewhere."""

TOKENS = ("token", "next", "target", "foil", "calls_for")
"""Columns that hold tokens, of which a space may be the first character."""

WRITTEN = (*TOKENS, "context", "continuation")
"""These, and columns with more of what a model wrote or read."""

INTERVALS = ("interval", "shuffled")
FORMULAS = (*"=+-@＝＋－＠", '"')


def as_json(document: dict[str, Any]) -> str:
    """An answer as one line of JSON that any reader of JSON takes."""
    return json.dumps(plain(document), ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """Numbers and sequences as JSON knows them; what is no number becomes null."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
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
    return json.dumps(value) if name in WRITTEN or risky else value


def command_line(verb: str, **options: Any) -> str:
    """The command that asks the same, quoted for a shell.

    Options that are None are left out; those that are True or False stand without a value.

    A value that begins with a dash is joined to its option, where it cannot be taken for one.
    """
    words = ["an-neuron", *verb.split()]
    for name, value in options.items():
        option, text = f"--{name.replace('_', '-')}", str(value)
        if value is True:
            words.append(option)
        elif value is False:
            words.append(f"--no-{option[2:]}")
        elif value is not None:
            words += [f"{option}={text}"] if text.startswith("-") else [option, text]
    return shlex.join(words)
