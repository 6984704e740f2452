"""Which words have a neuron: the committed table of a model, with nothing to wait for."""

from functools import cache

from analysis import EMBEDDED, results
from analysis.answer import command_line
from analysis.errors import UserError
from analysis.over_questions import kept
from space.answers import Answer, shown
from space.story import studied


def committed(model: str) -> Answer | None:
    """A model's committed table, ready to be shown."""
    return _committed(model) if model in studied() else None


@cache
def _committed(model: str) -> Answer | None:
    try:
        table = kept(results.COMMITTED / model, stale=True)
    except UserError:
        return None
    if table is None:
        return None
    experiment, asked = table.experiment, None if model == EMBEDDED else model
    command = command_line(experiment.verb, model=asked, keep="results")
    return shown(experiment, table.result, experiment.figures, command)
