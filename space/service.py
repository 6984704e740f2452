"""The one door to the models: every tab and every endpoint asks here."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import gradio as gr
from gradio.caching import CacheMissError

from analysis import running
from analysis.cost import Cost, cost
from analysis.declaration import Experiment
from analysis.errors import UserError
from analysis.evidence import NEURON
from analysis.experiments import named
from analysis.hints import hints
from analysis.inputs import Inputs
from analysis.progress import Progress
from analysis.study import committed
from analysis.subject import Subject
from space import limits
from space.answers import Answer, answer
from space.door import tell
from space.leaving import Left, every_module_calls, watch
from space.limits import TooDearError
from space.own import confirming, library_question, question_of
from space.session import Session
from space.settings import Settings
from space.view import NAMES, View, parts

try:
    import spaces  # type: ignore[import-not-found]  # the platform's own package: there on a Space and nowhere else
except ImportError:
    spaces = None

Way = Callable[[Experiment, Subject, View, Mapping[str, Any], Progress], Any]
"""From what is asked to a Result: a function of a module, so that it can be pickled."""

WRONG, TOO_DEAR, STOPPED = "That cannot be asked", "That takes too long here", "That was stopped"
FAILED = "That failed here"
"""Kinds of refusals."""

HERE = "This failed, and not by what was asked: whoever runs the app finds in its log where."

_session = Session(Settings())


class FailedError(Exception):
    """What was asked could be, but something here went wrong."""


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
    return named(name).seconds


def _compute(name: str, view: View, options: Mapping[str, Any], compute: Way) -> Any:
    """Compute; on a lent GPU in a process of its own, so all that comes and goes can be pickled."""
    with every_module_calls(watch()):
        return compute(named(name), _session.subject(view.model), view, options, _watched())


_compute_where_lent = lent(_compute)


def _watched() -> Progress:
    """Tells the visitor who waits, if there is one; ends where there is none any more."""
    bar, look = gr.Progress(), watch()

    def progress(fraction: float) -> None:
        look()
        bar(min(fraction, 1.0))

    return progress


def usual(
    experiment: Experiment,
    subject: Subject,
    view: View,
    options: Mapping[str, Any],
    progress: Progress,
) -> Any:
    """The experiment's own Result."""
    inputs = _inputs(experiment, subject, view, options)
    _afford(experiment, subject, view, inputs)
    return running.compute(experiment, subject, inputs, progress)


def _afford(experiment: Experiment, subject: Subject, view: View, inputs: Inputs) -> None:
    rate, most = _session.rate(view.model), _session.budget(view.model) * experiment.patience
    limits.afford(subject, experiment, inputs, rate, most)


def estimate(experiment: Experiment, view: View, options: Mapping[str, Any]) -> Cost | None:
    """About what an answer takes here; None where that is not known, or there is none."""
    subject, rate = _session.loaded(view.model), _session.rate(view.model)
    try:
        if subject is None or not experiment.has("cost"):
            return None
        full = view if view.neurons else replace(view, neuron="L0N0")
        inputs = _inputs(experiment, subject, full, given(experiment, view, options))
        return cost(experiment, subject, inputs, rate)
    except UserError:
        return None


def _inputs(
    experiment: Experiment, subject: Subject, view: View, options: Mapping[str, Any]
) -> Inputs:
    question = question_of(view, experiment)
    inputs = running.inputs(experiment, subject, question, view.neurons, options, live=True)
    limits.check(subject, experiment, inputs)
    return inputs


def result(
    experiment: Experiment, view: View, options: Mapping[str, Any], compute: Way = usual
) -> Any:
    """The Result of what is asked; what the committed study was asked is not worked out again.

    Raises:
        UserError: it cannot be asked, in one sentence.
    """
    key = _key(experiment, view, options, compute)
    known = _session.answers.get(key)
    if known is None and compute is usual:
        known = _committed(experiment, view, options)
    if known is not None:
        return known
    with _session.alone(view.model):
        found = _compute_where_lent(experiment.name, view, dict(options), compute)
    _session.answers.keep(key, found)
    return found


def _key(experiment: Experiment, view: View, options: Mapping[str, Any], compute: Way) -> str:
    """All that an answer depends on."""
    read = parts(view, experiment) if compute is usual else {**asdict(view), "tab": ""}
    return json.dumps([experiment.name, compute.__name__, read, options], sort_keys=True)


def _committed(experiment: Experiment, view: View, options: Mapping[str, Any]) -> Any | None:
    """The committed answer, for which nobody has to wait for the model.

    Raises:
        UserError: it cannot be asked, or is too dear to be worked out here.
    """
    subject = _session.loaded(view.model)
    if subject is None or (not view.neurons and "neuron" in experiment.needs):
        return None
    inputs = _inputs(experiment, subject, view, options)
    found = committed(experiment, subject, inputs)
    if found is None:
        _afford(experiment, subject, view, inputs)
    return found


def complete(view: View, experiment: Experiment) -> View:
    """The view, with the question's own neuron where one is needed and none is named.

    Raises:
        UserError: the model cannot be had, or its sweep is too long for one visitor among many.
    """
    if view.neurons or "neuron" not in experiment.needs:
        return view
    question = library_question(view) or question_of(view, named("find"))

    def check(subject: Subject) -> None:
        sweep, options = named(NEURON), {"screen": running.SCREEN, "held_out": 0}
        try:
            inputs = running.inputs(sweep, subject, question, (), options, live=True)
            limits.check(subject, sweep, inputs)
            _afford(sweep, subject, view, inputs)
        except UserError as error:
            raise type(error)(f"No neuron is named, and to find one: {error}") from error

    return replace(view, neuron=_session.best(view.model, question, check))


def given(experiment: Experiment, view: View, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are not as usual: the app's, those that the view has, and a visitor's.

    An empty text stands for none, where there can be none.
    """
    known = {option.name: option for option in experiment.options}
    confirm = {"held_out": confirming(view)} if experiment.name == NEURON else {}
    shared = {name: getattr(view, name) for name in NAMES & known.keys()}
    return {
        name: None if value == "" and name in known and known[name].default is None else value
        for name, value in {**(experiment.app or {}), **confirm, **shared, **options}.items()
    }


def ask(experiment: Experiment, view: View, options: Mapping[str, Any]) -> Answer:
    """The answer of an experiment, ready to be shown.

    Raises:
        UserError: it cannot be asked, in one sentence.
    """
    full, chosen = complete(view, experiment), given(experiment, view, options)
    every = experiment.check(chosen, live=True)
    found = answer(experiment, full, every, result(experiment, full, chosen))
    subject = _session.loaded(view.model)
    if subject is None:
        return found
    return replace(found, hints=hints(subject, question_of(full, experiment), every.get("token")))


@contextmanager
def told() -> Iterator[None]:
    """What fails within this and was no mistake is a line of the log, and a sentence.

    Raises:
        FailedError: something failed.
    """
    try:
        yield
    except (UserError, Left, CacheMissError, gr.Error):
        raise  # the last is the platform's own word, such as of a quota
    except Exception as error:
        tell(error)
        raise FailedError(HERE) from error


def as_error(error: Exception) -> gr.Error:
    """The error as the page and the API show it: its title is its kind."""
    kinds = {TooDearError: TOO_DEAR, Left: STOPPED, FailedError: FAILED}
    title = kinds.get(type(error), WRONG)
    return gr.Error(str(error), title=title, print_exception=False)
