"""Where a tab shows an answer: the finding, the figures, the table and what can be taken away."""

from typing import Any

import gradio as gr

from analysis.declaration import Experiment
from analysis.errors import UserError
from space import html
from space.answers import Answer


class Panel:
    """The place of one answer on a tab.

    Args:
        experiment: whose answer.
        late: whether the tab itself says where the foot stands.
    """

    def __init__(self, experiment: Experiment, late: bool = False) -> None:
        with gr.Column(elem_classes=["answer", f"answer-{experiment.name}"]):
            self.finding = gr.HTML("", elem_classes="finding")
            self.plots = [
                gr.Plot(show_label=False, container=False, visible=False, elem_classes="figure")
                for figure in experiment.figures
                if figure.live
            ]
            self.foot = gr.HTML("", elem_classes=f"foot-{experiment.name}", render=not late)

    @property
    def outputs(self) -> list[Any]:
        """The components, in the order of what ``show`` and ``refuse`` return."""
        return [self.finding, *self.plots, self.foot]

    def show(self, answer: Answer) -> list[Any]:
        """Values of the components that show an answer."""
        plots = [gr.update(value=figure, visible=True) for figure in answer.figures]
        spare = [gr.update(visible=False)] * (len(self.plots) - len(plots))
        return [html.finding(answer), *plots, *spare, html.foot(answer)]

    def refuse(self, error: UserError) -> list[Any]:
        """Values that say what was wrong; figures of an older question go away."""
        return [html.error(error), *[gr.update(visible=False)] * len(self.plots), ""]

    def keep(self) -> list[Any]:
        """Values that leave everything as it is."""
        return [gr.skip()] * len(self.outputs)
