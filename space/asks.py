"""One thing that a tab asks: from the components that a visitor sets to the panel that answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from analysis.declaration import Experiment
from analysis.errors import UserError
from space import service
from space.answers import Answer
from space.known import known
from space.leaving import Left, answering
from space.panel import Panel
from space.question_bar import UNLESS_STOPPED, QuestionBar, received
from space.settings import AT_ONCE
from space.view import View

USUAL_LABEL = "Ask this"
NO_BREAK = "\N{NO-BREAK SPACE}"
MODEL = "model"
"""Events that use a model wait for each other, and the page tells a visitor's place."""


@dataclass(frozen=True)
class Ask:
    """One thing that a tab asks.

    Attributes:
        tab: name of the tab.
        experiment: which one.
        panel: where the answer is shown.
        controls: components by the option of the experiment that they set.
        button: asks; quick experiments are asked without it too, whenever the view changes.
        events: of other components that ask as well.
    """

    tab: str
    experiment: Experiment
    panel: Panel
    controls: Mapping[str, Any] = field(default_factory=dict)
    button: Any = None
    events: tuple[Callable[..., Any], ...] = ()

    @property
    def quick(self) -> bool:
        """Whether the answer comes by itself."""
        return self.experiment.quick

    def answer(self, view: View, options: Mapping[str, Any]) -> Answer:
        """The answer, ready to be shown.

        Raises:
            UserError: it cannot be asked.
        """
        return service.ask(self.experiment, view, options)

    def known(self, view: View) -> Answer | None:
        """The committed study's answer, if it was asked this."""
        return known(self.experiment, view)

    def label(self, view: View, values: Sequence[Any]) -> str:
        """What the button says, with about how long the answer takes."""
        estimate = service.estimate(
            self.experiment, view, dict(zip(self.controls, values, strict=True))
        )
        said = self.experiment.button or USUAL_LABEL
        if not estimate:
            return said
        cost = f"(about {estimate.time})".replace(" ", NO_BREAK)
        return f"{said} {cost}"

    def cheap(self, view: View) -> bool:
        """Whether it is worked out so soon that nobody has to wish for it."""
        usual = {name: control.value for name, control in self.controls.items()}
        estimate = service.estimate(self.experiment, view, usual) if self.button else None
        return estimate is not None and estimate.passes <= AT_ONCE

    def show(self, view: View, values: Sequence[Any]) -> list[Any]:
        """What the panel's components show: the answer, or what was wrong with the question."""
        try:
            with answering(self.panel.question, view), service.told():
                answer = self.answer(view, dict(zip(self.controls, values, strict=True)))
            return self.panel.show(answer, view)
        except UserError as error:
            return self.panel.refuse(error, view)
        except service.FailedError as failed:
            return self.panel.refuse(UserError(str(failed)), view)
        except Left as left:
            return (
                self.panel.refuse(UserError(str(left)), view) if left.stopped else self.panel.keep()
            )

    def wire(self, bar: QuestionBar) -> None:
        """Ask when the button is pressed, and on the other events; the address names the view."""
        pressed = () if self.button is None else (self.button.click,)
        for event in (*pressed, *self.events):
            bar.send(event).then(
                self._pressed,
                [bar.wire, *self.controls.values()],
                self.panel.outputs,
                concurrency_id=MODEL,
                api_visibility="private",
                show_progress_on=self.panel.finding,
                **UNLESS_STOPPED,
            )

    def _pressed(self, sent: Any, progress: gr.Progress = gr.Progress(), *values: Any) -> list[Any]:  # noqa: B008
        del progress  # its place in the signature makes the page show a bar
        if not sent:
            return self.panel.keep()
        try:
            view = received(sent)
        except UserError as error:
            return self.panel.refuse(error)
        return self.show(view, values)

    _pressed.cache = True  # type: ignore[attr-defined]


def refresh(asks: Sequence[Ask], sent: Any, values: Sequence[Any]) -> list[Any]:
    """Answers of the quick experiments of the open tab; the other panels are left as they are."""
    if not sent:
        return [kept for ask in asks for kept in ask.panel.keep()]
    try:
        view = received(sent)
    except UserError as error:
        return [update for ask in asks for update in ask.panel.refuse(error)]
    shown: list[Any] = []
    rest = list(values)
    for ask in asks:
        own = [rest.pop(0) for _ in ask.controls]
        shown += ask.show(view, own) if ask.tab == view.tab else ask.panel.keep()
    return shown


def known_answers(asks: Sequence[Ask], sent: Any) -> list[Any]:
    """What the committed study answers on the open tab; the other panels are left as they are."""
    try:
        view = received(sent)
    except UserError:
        return [kept for ask in asks for kept in ask.panel.keep()]
    shown: list[Any] = []
    for ask in asks:
        answer = ask.known(view) if ask.tab == view.tab else None
        shown += ask.panel.keep() if answer is None else ask.panel.show(answer, view)
    return shown


def comes_unwished(asks: Sequence[Ask], sent: Any) -> str:
    """The name of the cheap experiment that the open tab begins with, where it would be empty."""
    try:
        view = received(sent)
    except UserError:
        return ""
    here = [ask for ask in asks if ask.tab == view.tab]
    if not here or any(ask.quick or ask.known(view) for ask in here):
        return ""
    return next((ask.experiment.name for ask in here if ask.cheap(view)), "")
