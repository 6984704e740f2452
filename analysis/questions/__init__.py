"""What is asked: a target and a foil, prompts that call for them, and what confirms the answer.

A question is a file, or two prompts and two words. ``NAME.toml`` tells all of it, ``NAME.csv`` and
``NAME.jsonl`` are pairs by the line. All words and sentences of the project live in this folder.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

from analysis.errors import UserError
from analysis.questions.pair_files import read_pairs
from analysis.questions.parts import Example, Natural, Pair
from analysis.questions.question import Question

__all__ = [
    "ANY_WORD",
    "DEFAULT",
    "Example",
    "Natural",
    "Pair",
    "Question",
    "default",
    "library",
    "load",
]

FOLDER = Path(__file__).resolve().parent
DEFAULT = "an"
"""The question that is asked when no other is named."""

ANY_WORD = "The word was{}. Again, the word was"
"""A sentence for any two words of one token each: with the target in it, and with the foil."""

LARGEST = 1_000_000
"""Bytes of a question file."""


@cache
def default() -> Question:
    """The question that is asked when no other is named."""
    return load(DEFAULT)


def library() -> tuple[str, ...]:
    """Names of the questions that come with the project, the default first."""
    names = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return (DEFAULT, *(name for name in names if name != DEFAULT))


def load(name: str) -> Question:
    """Read a question by its name in the library, or from a file.

    Raises:
        UserError: there is none, or its file has mistakes; all of them are named.
    """
    if name in library():
        return _read(FOLDER / f"{name}.toml", name)
    if not name.endswith((".toml", ".csv", ".jsonl")):
        raise UserError(
            f"There is no question {name[:60]!r}: "
            f"name one of {', '.join(library())}, or a .toml, .csv or .jsonl file."
        )
    return _read(Path(name), name)


def _read(path: Path, source: str) -> Question:
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} is larger than {LARGEST:,} bytes, too large for a question.")
        text = path.read_text(encoding="utf-8-sig")
        parts = tomllib.loads(text) if path.suffix == ".toml" else read_pairs(source, text)
    except UserError:
        raise
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text: save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is no TOML: {error}.") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UserError(f"The question {str(path)[:200]} cannot be read ({why}).") from error
    for key in parts.keys() & {"name", "source"}:
        raise UserError(f"{path}: {key}: no such key; a question has the name of its file.")
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", path.stem)[:60] or "question"
    try:
        return Question(**{"title": path.stem, **parts, "name": name, "source": source})
    except UserError as error:
        raise UserError(f"{path}: {str(error).removeprefix('This is no question: ')}") from error
