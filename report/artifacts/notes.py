"""What the files of a paper say in words: the macros of ``notes.txt``."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def note(name: str, **values: Any) -> str:
    """One of the notes, as plain text or, where its values are LaTeX, as LaTeX."""
    return str(getattr(_notes().module, name)(**values)).strip()


@cache
def _notes() -> Template:
    loader = PackageLoader("report", "artifacts")
    made = Environment(loader=loader, undefined=StrictUndefined)  # noqa: S701  (no HTML)
    return made.get_template("notes.txt")
