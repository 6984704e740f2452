"""A place on a tab that says something of the neuron that was named, past queue and model."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from analysis.errors import UserError
from space import html
from space.question_bar import NEWEST, QUIET, QuestionBar, received
from space.view import View


class NeuronPanel:
    """What is known of a neuron without asking its model.

    Args:
        tab: where it stands.
        name: of the place, in the page.
        text: what is said of a view's neuron, as HTML, and to which question; it may refuse.
    """

    def __init__(self, tab: str, name: str, text: Callable[[View, dict[str, str]], str]) -> None:
        self.tab, self._text = tab, text
        with gr.Column(elem_classes=["answer", f"answer-{name}", "quick"]):
            self.place = gr.HTML("", elem_classes="finding")

    def wire(self, bar: QuestionBar) -> None:
        """Tell of the neuron whenever the view changes."""
        bar.wire.change(self._sent, bar.wire, self.place, **NEWEST, **QUIET)

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
            return self._text(view, question)
        except UserError as error:
            return html.error(error, question)
