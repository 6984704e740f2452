"""The one door to the models: every tab and every endpoint asks here."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import gradio as gr

from analysis.errors import UserError
from analysis.progress import Progress
from space.answers import Answer, answer
from space.questions import QUESTIONS
from space.session import Session
from space.settings import Settings
from space.view import View

try:
    import spaces  # type: ignore[import-not-found]  # the platform's own package: there on a Space and nowhere else
except ImportError:
    spaces = None

_session = Session(Settings())


def open_session(session: Session) -> None:
    """Use these models from now on."""
    global _session
    _session = session


def session() -> Session:
    """The models in use."""
    return _session


def lent(compute: Callable[..., Any], platform: Any = spaces) -> Callable[..., Any]:
    """Run a function where the platform lends a GPU for each call; elsewhere as it is."""
    return platform.GPU(duration=_duration)(compute) if platform else compute


def _duration(name: str, *_others: Any) -> int:
    return QUESTIONS[name].seconds


def _compute(name: str, view: View, options: Mapping[str, Any]) -> Any:
    """Ask; on a lent GPU in a process of its own, so all that comes and goes can be pickled."""
    return QUESTIONS[name].ask(_session.subject(view.model), view, _watched(), **options)


_compute_where_lent = lent(_compute)


def _watched() -> Progress:
    """Tells the visitor who waits, if there is one."""
    bar = gr.Progress()
    return lambda fraction: bar(min(fraction, 1.0))


def result(name: str, view: View, options: Mapping[str, Any]) -> Any:
    """The Result of a question.

    Raises:
        UserError: what the visitor asked cannot be answered, in one sentence.
    """
    with _session.alone(view.model):
        return _compute_where_lent(name, view, dict(options))


def complete(view: View) -> View:
    """The view, with the model's own neuron where none is named."""
    return view if view.neuron.strip() else replace(view, neuron=_session.best(view.model))


def ask(name: str, view: View, options: Mapping[str, Any]) -> Answer:
    """The answer to a question, ready to be shown."""
    full = complete(view)
    return answer(name, full, options, result(name, full, options))


def told(error: UserError) -> gr.Error:
    """The error as the page and the API show it."""
    return gr.Error(str(error), title="That cannot be asked", print_exception=False)
