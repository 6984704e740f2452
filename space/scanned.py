"""What the owner's scan says of a neuron: off its table on disk, past the queue and the model."""

from pathlib import Path
from typing import Any

import gradio as gr

from analysis.errors import UserError
from space import html
from space.question_bar import QUIET, QuestionBar, received
from space.scan_row import scanned
from space.view import View

TAB = "corpus_scan"
"""The tab that shows it."""


class ScannedPanel:
    """The place of it on a tab.

    Args:
        table: that ``corpus-scan --table`` wrote.
    """

    def __init__(self, table: Path) -> None:
        self.table = table
        with gr.Column(elem_classes=["answer", "answer-scanned", "quick"]):
            self.place = gr.HTML("", elem_classes="finding")

    def wire(self, bar: QuestionBar) -> None:
        """Tell of the neuron whenever the view changes."""
        bar.wire.change(self._sent, bar.wire, self.place, **QUIET)

    def _sent(self, sent: Any) -> Any:
        try:
            view = received(sent)
        except UserError:
            return gr.skip()
        return self.told(view) if view.tab == TAB else gr.skip()

    def told(self, view: View) -> str:
        """What the scan says of a view's neuron, or why it says nothing."""
        question = {"neuron": view.neuron, "model": view.model}
        try:
            found = scanned(self.table, view.neuron) if view.neurons else None
            return html.scanned(found, view.model, question)
        except UserError as error:
            return html.error(error, question)
