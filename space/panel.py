"""Where a tab shows an answer: the finding, the figures, the table and what can be taken away."""

from typing import Any

import gradio as gr

from analysis.declaration import Experiment
from analysis.errors import UserError
from space import html
from space.answers import Answer
from space.view import View, parts


def plot() -> gr.Plot:
    """The place of a figure, which is not seen before there is one."""
    return gr.Plot(show_label=False, container=False, visible=False, elem_classes="figure")


class Panel:
    """The place of one answer on a tab.

    Args:
        experiment: whose answer.
        late: whether the tab itself says where the foot stands.
        quick: whether the answer comes by itself; where not said, as the experiment declares.
    """

    def __init__(
        self, experiment: Experiment, late: bool = False, quick: bool | None = None
    ) -> None:
        self.experiment = experiment
        comes = ["quick"] if (experiment.quick if quick is None else quick) else []
        with gr.Column(elem_classes=["answer", f"answer-{experiment.name}", *comes]):
            hint = "" if comes or not experiment.button else html.hint(experiment.button)
            self.finding = gr.HTML(hint, elem_classes="finding")
            self.plots = [plot() for figure in experiment.figures if figure.live]
            self.foot = gr.HTML(
                "", elem_classes=["foot", f"foot-{experiment.name}"], render=not late
            )

    @property
    def outputs(self) -> list[Any]:
        """The components, in the order of what ``show`` and ``refuse`` return."""
        return [self.finding, *self.plots, self.foot]

    def question(self, view: View) -> dict[str, str]:
        """The parts of a view that the answer depends on."""
        return parts(view, self.experiment)

    def show(self, answer: Answer, view: View) -> list[Any]:
        """Values of the components that show the answer to a view."""
        plots = [gr.update(value=figure, visible=True) for figure in answer.figures]
        spare = [gr.update(visible=False)] * (len(self.plots) - len(plots))
        said = html.finding(answer, self.question(view))
        return [said, *plots, *spare, html.foot(answer)]

    def refuse(self, error: UserError, view: View | None = None) -> list[Any]:
        """Values that say what was wrong; figures of an older question go away."""
        question = {} if view is None else self.question(view)
        return [html.error(error, question), *[gr.update(visible=False)] * len(self.plots), ""]

    def keep(self) -> list[Any]:
        """Values that leave everything as it is."""
        return [gr.skip()] * len(self.outputs)
