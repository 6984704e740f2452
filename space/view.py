"""What a visitor looks at: one question, shared by all tabs and kept in the address."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from analysis import EMBEDDED
from analysis.question import CLEAN, CORRUPTED, FOIL, TARGET
from space import values
from space.settings import NAME_CHARACTERS, TEXT_CHARACTERS, WORD_CHARACTERS

LONGEST = {
    "model": NAME_CHARACTERS,
    "clean": TEXT_CHARACTERS,
    "corrupted": TEXT_CHARACTERS,
    "target": WORD_CHARACTERS,
    "foil": WORD_CHARACTERS,
    "neuron": NAME_CHARACTERS,
    "text": TEXT_CHARACTERS,
    "tab": NAME_CHARACTERS,
}


@dataclass(frozen=True)
class View:
    """One question, and the tab that shows it.

    Attributes:
        model: name of the model.
        clean: the prompt that calls for the target.
        corrupted: the prompt that calls for the foil.
        target: the token asked for, with its leading space.
        foil: the token it competes with.
        neuron: such as L25N1527; empty for the model's own.
        text: any text to look at the neuron in; empty for the clean prompt.
        tab: name of the open tab.
    """

    model: str = EMBEDDED
    clean: str = CLEAN
    corrupted: str = CORRUPTED
    target: str = TARGET
    foil: str = FOIL
    neuron: str = ""
    text: str = ""
    tab: str = "activations"


NAMES = tuple(field.name for field in fields(View))


def make_view(**parts: Any) -> View:
    """A view of texts that came from a visitor.

    Raises:
        UserError: something that is no text, or too long.
    """
    for name, value in parts.items():
        values.text(value, name, LONGEST[name])
    return View(**parts)


def from_query(query: Mapping[str, str], start: View) -> View:
    """The view that an address names; what is missing or cannot be is as at the start."""
    parts = {}
    for name in NAMES:
        value = query.get(name)
        if isinstance(value, str) and len(value) <= LONGEST[name]:
            parts[name] = value
    return replace(start, **parts)


def to_query(view: View, start: View) -> str:
    """What an address has to say about a view, the start left out."""
    first = asdict(start)
    return urlencode({k: v for k, v in asdict(view).items() if v != first[k]})
