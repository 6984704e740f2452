"""What the owner's scan says of a neuron: off its table on disk, past the queue and the model."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from analysis.errors import UserError
from analysis.scanning.scanned import read_neuron
from space import html
from space.question_bar import QUIET, QuestionBar, received
from space.view import View

TAB = "corpus_scan"
"""The tab that shows it."""

SIGNS = {"gate_pos": "+", "gate_neg": "\u2212", "up_pos": "+", "up_neg": "\u2212"}


@dataclass(frozen=True)
class Scanned:
    """One neuron of a scan, ready to be shown.

    Attributes:
        neuron: its name.
        model: that was scanned.
        tokens: that were counted.
        moments: mean, deviation and quantiles of its activation, by their names.
        quadrants: tokens by the signs of gate and up; none where nothing is gated.
        extremes: the highest activations, the outermost first, then the lowest, the outermost last.
    """

    neuron: str
    model: str
    tokens: int
    moments: dict[str, float]
    quadrants: tuple[tuple[str, str, int], ...]
    extremes: tuple[dict[str, Any], ...]


def scanned(table: Path, name: str) -> Scanned:
    """A neuron of a table.

    Raises:
        UserError: the table is gone or damaged, or has no such neuron.
    """
    row, key = read_neuron(table, name)
    quantiles = {f"quantile 0.{name[1:]}": row[name] for name in row if name[1:].isdigit()}
    counts = {name: row[name] for name in row if name.startswith("gate_")}
    return Scanned(
        neuron=row["neuron"],
        model=key["model"],
        tokens=row["tokens"],
        moments={"mean": row["mean"], "deviation": math.sqrt(row["variance"]), **quantiles},
        quadrants=tuple(
            (SIGNS[name[:8]], SIGNS[name[9:]], count)
            for name, count in counts.items()
            if count is not None
        ),
        extremes=(*row["highest"], *reversed(row["lowest"])),
    )


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
