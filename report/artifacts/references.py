"""BibTeX entries from CITATION.cff: this software, and the works that it grew from."""

from collections.abc import Mapping
from typing import Any

import yaml

from report.artifacts.latex import prose

CITATION = "CITATION.cff"


def as_bibtex(citation: str) -> str:
    """The entries of a citation file, the software's own first.

    Args:
        citation: text in the Citation File Format 1.2.
    """
    cited = yaml.safe_load(citation)
    entries = [_entry("an-neuron", cited), *(_entry(_key(r), r) for r in cited["references"])]
    return "\n".join(entries)


def _key(work: Mapping[str, Any]) -> str:
    first = work["authors"][0]
    name = first.get("family-names", first.get("name", "anonymous"))
    letters = "".join(c for c in name.lower() if c.isascii() and c.isalpha())
    return f"{letters}{work.get('year', '')}"


def _entry(key: str, work: Mapping[str, Any]) -> str:
    """``@misc`` is the type that every bibliography style has."""
    version = f"Version {work['version']}" if "version" in work else ""
    released = str(work.get("date-released", ""))[:4]
    fields = {
        "author": " and ".join(map(_author, work["authors"])),
        "title": f"{{{prose(work['title'])}}}",
        "year": str(work.get("year", released)),
        "howpublished": "Software" if work["type"] == "software" else "",
        "doi": work.get("doi", ""),
        "url": work.get("url", work.get("repository-code", "")),
        "note": prose(work.get("notes", version)),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{key},", *lines, "}", ""])


def _author(author: Mapping[str, str]) -> str:
    """A person as family and given name; a group in braces, so that it is not taken for one."""
    if "family-names" in author:
        return prose(
            ", ".join([author["family-names"], author.get("given-names", "")]).rstrip(", ")
        )
    return f"{{{prose(author['name'])}}}"
