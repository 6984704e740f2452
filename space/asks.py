"""One thing that a tab asks: from the components that a visitor sets to the panel that answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from analysis.errors import UserError
from space import service
from space.panel import Panel
from space.view import NAMES, View, make_view

MODEL = "model"
"""Events that use a model wait for each other, and the page tells a visitor's place."""

QUIET: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
"""Options of events that use no model."""

KEEP = "(...view) => keepAddress(view)"
"""Has the page write the view into its address."""


@dataclass(frozen=True)
class Ask:
    """One thing that a tab asks.

    Attributes:
        tab: name of the tab.
        question: which of the questions.
        panel: where the answer is shown.
        options: components by the option of the question that they set.
        fixed: options that a visitor does not set.
        button: asks; quick questions are asked without it too, whenever the view changes.
        events: of other components that ask as well.
        quick: whether the answer comes within a second.
    """

    tab: str
    question: str
    panel: Panel
    options: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    button: Any = None
    events: tuple[Callable[..., Any], ...] = ()
    quick: bool = False

    def answer(self, view: View, values: tuple[Any, ...]) -> list[Any]:
        """What the panel's components show: the answer, or what was wrong with the question."""
        return self.show(view, dict(zip(self.options, values, strict=True)))

    def show(self, view: View, options: Mapping[str, Any]) -> list[Any]:
        """The answer to the question with these options."""
        try:
            return self.panel.show(service.ask(self.question, view, {**options, **self.fixed}))
        except UserError as error:
            return self.panel.refuse(error)

    def wire(self, state: list[Any]) -> None:
        """Ask when the button is pressed."""
        pressed = () if self.button is None else (self.button.click,)
        for event in (*pressed, *self.events):
            self.listen(event, state)

    def listen(self, event: Callable[..., Any], state: list[Any]) -> None:
        """Ask on an event of the page; the address names what is asked."""
        event(None, state, None, js=KEEP, **QUIET)
        event(
            self._pressed,
            [*state, *self.options.values()],
            self.panel.outputs,
            concurrency_id=MODEL,
            api_visibility="private",
            show_progress_on=self.panel.finding,
        )

    def _pressed(self, progress: gr.Progress = gr.Progress(), *values: Any) -> list[Any]:  # noqa: B008
        del progress  # its place in the signature makes the page show a bar
        try:
            view = make_view(**dict(zip(NAMES, values[: len(NAMES)], strict=True)))
        except UserError as error:
            return self.panel.refuse(error)
        return self.answer(view, values[len(NAMES) :])


def refresh(asks: list[Ask], values: tuple[Any, ...]) -> list[Any]:
    """Answers of the quick questions of the open tab; the other panels are left as they are."""
    names, rest = values[: len(NAMES)], list(values[len(NAMES) :])
    try:
        view = make_view(**dict(zip(NAMES, names, strict=True)))
    except UserError as error:
        return [update for ask in asks for update in ask.panel.refuse(error)]
    shown: list[Any] = []
    for ask in asks:
        own = tuple(rest.pop(0) for _ in ask.options)
        shown += ask.answer(view, own) if ask.tab == view.tab else ask.panel.keep()
    return shown
