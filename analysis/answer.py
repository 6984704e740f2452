"""An answer as JSON, and the command line that gives it."""

import json
import math
import shlex
from typing import Any

import numpy as np

DIGITS = 6
"""Significant digits of a number: more than any of these computations repeats elsewhere."""


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


def command_line(verb: str, **options: Any) -> str:
    """The command that asks the same, quoted for a shell.

    Options that are None or False are left out, those that are True stand without a value.

    A value that begins with a dash is joined to its option, where it cannot be taken for one.
    """
    words = ["python", "-m", "analysis", *verb.split()]
    for name, value in options.items():
        option, text = f"--{name.replace('_', '-')}", str(value)
        if value is True:
            words.append(option)
        elif value is not None and value is not False:
            words += [f"{option}={text}"] if text.startswith("-") else [option, text]
    return shlex.join(words)
