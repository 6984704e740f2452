"""The committed study of the embedded model: a test of its own says that today's code made it."""

from typing import Any

from analysis import EMBEDDED, results
from analysis.experiments import named
from analysis.questions import default

FOLDER = results.COMMITTED / EMBEDDED / default().key


def committed(name: str) -> Any:
    """The result of one experiment."""
    return results.load(FOLDER, name, named(name).kind)
