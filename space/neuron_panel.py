"""A place on a tab that says something of the neuron that was named, past queue and model."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from analysis.errors import UserError
from space import html
from space.committed_sweeps import parts
from space.question_bar import NEWEST, QuestionBar, received
from space.scan_row import scanned
from space.view import View

SCANNED, TAKES_PART = "corpus_scan", "direct_effect"
"""The tabs that show what a scan and what the committed studies say."""


class NeuronPanel:
    """What is known of a neuron without asking its model.

    Args:
        tab: where it stands.
        name: of the place in the page, and of its template.
        known: what the template tells of a view's neuron; it may refuse.
    """

    def __init__(self, tab: str, name: str, known: Callable[[View], Mapping[str, Any]]) -> None:
        self.tab, self.name, self._known = tab, name, known
        with gr.Column(elem_classes=["answer", f"answer-{name}", "quick"]):
            self.place = gr.HTML("", elem_classes="finding")

    def wire(self, bar: QuestionBar) -> None:
        """Tell of the neuron whenever the view changes."""
        bar.wire.change(self._sent, bar.wire, self.place, **NEWEST, **bar.quiet)

    def _sent(self, sent: Any) -> Any:
        try:
            view = received(sent)
        except UserError:
            return gr.skip()
        return self.shown(view) if view.tab == self.tab else gr.skip()

    def shown(self, view: View) -> str:
        """What is said of a view's neuron, or why nothing is."""
        question = {"neuron": view.neuron, "model": view.model}
        try:
            return html.of_neuron(self.name, question, self._known(view))
        except UserError as error:
            return html.error(error, question)


def scanned_panel(table: Path) -> NeuronPanel:
    """The place of what the owner's scan says of a neuron.

    Args:
        table: that ``corpus-scan --table`` wrote.
    """

    def known(view: View) -> Mapping[str, Any]:
        found = scanned(table, view.neuron) if view.neurons else None
        return {"found": found, "model": view.model}

    return NeuronPanel(SCANNED, "scanned", known)


def takes_part_panel() -> NeuronPanel:
    """The place of the committed studies in which a neuron takes part, if one is named."""

    def known(view: View) -> Mapping[str, Any]:
        found = parts(view.model, view.neurons[0]) if view.neurons else []
        return {"found": found, "neuron": view.neuron}

    return NeuronPanel(TAKES_PART, "takes-part", known)
