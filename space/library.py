"""Which words have a neuron: the committed table of a model, with nothing to wait for."""

from functools import cache

from analysis import EMBEDDED, results, sentences
from analysis.answer import as_json, command_line, plain
from analysis.errors import UserError
from analysis.over_questions import kept
from space.answers import Answer


@cache
def committed(model: str) -> Answer | None:
    """A model's committed table, ready to be shown."""
    try:
        table = kept(results.COMMITTED / model, stale=True)
    except UserError:
        return None
    if table is None:
        return None
    experiment, result = table.experiment, table.result
    listing = experiment.module("tables").LISTING
    return Answer(
        experiment=experiment,
        result=result,
        finding=sentences.finding(experiment, result),
        verdict=sentences.verdict(experiment, result),
        figures=tuple(experiment.draw(figure, result) for figure in experiment.figures),
        listing=listing,
        rows=plain(list(listing.rows(result))),
        json=as_json(experiment.summary(result)),
        command=command_line(
            experiment.verb, model=None if model == EMBEDDED else model, keep="results"
        ),
    )
