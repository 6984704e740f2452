"""The changes of the changelog, for the site's feed."""

import re
from dataclasses import dataclass

CHANGELOG = "CHANGELOG.md"


@dataclass(frozen=True)
class Change:
    """One release: its version, its date (year-month-day), and what is said of it."""

    version: str
    date: str
    text: str


def changes(changelog: str) -> tuple[Change, ...]:
    """The dated releases of a changelog, newest first; what is not released yet is left out."""
    parts = re.split(r"^## ", changelog, flags=re.M)[1:]
    dated = (re.match(r"(\S+), (\d{4}-\d\d-\d\d)\n(.*)", part, re.S) for part in parts)
    return tuple(Change(m[1], m[2], m[3].strip()) for m in dated if m)
