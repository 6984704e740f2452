"""The committed studies of the embedded model; tests say that today's code made them."""

from typing import Any

from analysis import EMBEDDED, results
from analysis.experiments import named
from analysis.questions import DEFAULT

HOME = results.COMMITTED / EMBEDDED

FOLDER = HOME / DEFAULT
"""The study of the usual question."""

OTHERS = ("are", "bracket", "her")
"""The other questions that have a committed study."""


def committed(name: str, question: str = DEFAULT) -> Any:
    """The result of one experiment."""
    return results.load(HOME / question, name, named(name).kind)
