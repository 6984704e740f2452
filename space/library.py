"""Which words have a neuron: the committed table of a model, with nothing to wait for."""

from functools import cache
from pathlib import Path

from analysis import EMBEDDED, results
from analysis.answer import command_line
from analysis.errors import UserError
from analysis.over_questions import kept
from space.answers import Answer, shown
from space.story import studied, unread


def committed(model: str) -> Answer | None:
    """A model's committed table, ready to be shown; none if it cannot be read."""
    if model not in studied():
        return None
    try:
        return _committed(results.COMMITTED / model)
    except UserError as error:  # nothing of it is kept: it may be whole next time
        unread(error)
        return None


@cache
def _committed(folder: Path) -> Answer | None:
    table = kept(folder, stale=True)
    if table is None:
        return None
    experiment, asked = table.experiment, None if folder.name == EMBEDDED else folder.name
    command = command_line(experiment.verb, model=asked, keep="results")
    return shown(experiment, table.result, experiment.figures, command)
