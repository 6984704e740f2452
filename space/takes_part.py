"""In which committed studies of its model a neuron takes part."""

from space import html
from space.committed_sweeps import parts
from space.neuron_panel import NeuronPanel
from space.view import View

TAB = "direct_effect"
"""The tab that shows it."""


def takes_part_panel() -> NeuronPanel:
    """The place of it on the tab; it says so where no study tells, or none is named."""

    def text(view: View, question: dict[str, str]) -> str:
        found = parts(view.model, view.neurons[0]) if view.neurons else []
        return html.takes_part(found, view.neuron, question)

    return NeuronPanel(TAB, "takes-part", text)
