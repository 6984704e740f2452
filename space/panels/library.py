"""Which words have a neuron: the committed table of the library, and a visitor's own question."""

import gradio as gr

from analysis import EMBEDDED, results, sentences
from analysis.answer import as_json, command_line, plain
from analysis.declaration import Experiment
from analysis.errors import UserError
from analysis.over_questions import kept
from space import html
from space.answers import Answer
from space.asks import Ask
from space.controls import asking
from space.panel import Panel
from space.question_bar import QuestionBar

NONE = "There is no committed table of {}: ask single questions."
OWN = "Has your word a neuron?"


def build(experiment: Experiment, tab: str, bar: QuestionBar) -> list[Ask]:
    """The table, and below it the button that asks the question above."""
    model = str(bar.boxes["model"].value)
    table = committed(model)
    if table is None:
        gr.HTML(html.intro(NONE.format(model)))
    else:
        gr.HTML(html.caption(table.finding))
        for figure in table.figures:
            gr.Plot(figure, show_label=False, container=False, elem_classes="figure")
        gr.HTML(html.foot(table))
    gr.HTML(html.heading(OWN))
    with gr.Row(elem_classes="asking"):
        button = asking(experiment, experiment.button)
    return [Ask(tab, experiment, Panel(experiment), {}, button)]


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
