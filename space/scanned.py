"""What the owner's scan says of a neuron: off its table on disk."""

from pathlib import Path

from space import html
from space.neuron_panel import NeuronPanel
from space.scan_row import scanned
from space.view import View

TAB = "corpus_scan"
"""The tab that shows it."""


def scanned_panel(table: Path) -> NeuronPanel:
    """The place of it on the tab.

    Args:
        table: that ``corpus-scan --table`` wrote.
    """

    def text(view: View, question: dict[str, str]) -> str:
        found = scanned(table, view.neuron) if view.neurons else None
        return html.scanned(found, view.model, question)

    return NeuronPanel(TAB, "scanned", text)
