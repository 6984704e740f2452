"""The experiments for programs: named endpoints, and tools of the Model Context Protocol.

Each is made of an experiment's declaration and answers with one JSON object, the very one that the
command line prints with ``--json``.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gradio.caching import CacheMissError
from gradio.caching import _probe_mode_active as probing
from gradio.events import api

from analysis.declaration import Experiment, Option
from analysis.errors import UserError
from analysis.evidence import NEURON
from analysis.experiments import EXPERIMENTS
from space import service
from space.asks import MODEL
from space.leaving import Left
from space.pairs import LINE, TABLES
from space.service import FAILED, STOPPED, TOO_DEAR, WRONG, FailedError
from space.view import NAMES, USUAL, library, make_view

HOW = (
    "Calls wait in one queue; an answer that was given before comes at once. A refusal is one "
    "sentence that says what would be right; its title is its kind: "
    f"{WRONG}, {TOO_DEAR}, {STOPPED}, {FAILED}."
)
"""What a program has to know of every endpoint."""

SETS = "bars between several make a set"
LONG = "it may be several tokens long"

OWN_MEANING = {
    "lines": f"pairs in place of the prompts, a line each: {LINE}; the first is asked. {TABLES}",
    "template": "a sentence with {} for a word, in place of the prompts; it needs both lists of "
    "words, the first of which are asked.",
    "target_words": "words for it that call for the target, with commas between them.",
    "foil_words": "words for it that call for the foil.",
}
"""A question of one's own, by the parts of a view that it is made of."""

CONFIRMED = " The others confirm what it finds."
EVEN = " Both prompts of it need as many tokens."


@dataclass(frozen=True)
class Parameter:
    """One parameter of an endpoint: its name, type, usual value, and a sentence about it."""

    name: str
    kind: type
    default: Any
    meaning: str


def register() -> None:
    """Offer every endpoint; they wait in the same queue as the tabs."""
    for endpoint in endpoints():
        api(endpoint, api_name=endpoint.__name__, concurrency_id=MODEL, concurrency_limit=1)


def endpoints() -> tuple[Callable[..., str], ...]:
    """A function for every experiment that the app asks."""
    return tuple(endpoint(each) for each in EXPERIMENTS if each.app is not None)


def endpoint(experiment: Experiment) -> Callable[..., str]:
    """The function that asks an experiment: its signature and its words are the declaration's."""
    parameters = tuple(_parameters(experiment))
    signature = inspect.Signature(
        [
            inspect.Parameter(
                p.name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=p.default,
                annotation=p.kind,
            )
            for p in parameters
        ],
        return_annotation=str,
    )

    def ask(*values: Any, **named: Any) -> str:
        bound = signature.bind(*values, **named)
        bound.apply_defaults()
        return _answer(experiment, bound.arguments)

    ask.cache = True  # type: ignore[attr-defined]
    ask.__name__ = ask.__qualname__ = experiment.name
    ask.__doc__ = _documentation(experiment, parameters)
    ask.__signature__ = signature  # type: ignore[attr-defined]
    ask.__annotations__ = {**{p.name: p.kind for p in parameters}, "return": str}
    return ask


def _answer(experiment: Experiment, arguments: Mapping[str, Any]) -> str:
    """The JSON; parts of the view that are no parameters are as usual."""
    parts = {name: value for name, value in arguments.items() if name in NAMES}
    options = {name: value for name, value in arguments.items() if name not in NAMES}
    try:
        if not parts["model"]:
            parts["model"] = service.session().settings.models[0]
        if "question" in parts:
            parts |= _words(parts["question"])
        with service.told():
            return service.ask(experiment, make_view(parts), options).json
    except (UserError, FailedError, Left) as error:
        if probing.get():
            raise CacheMissError from error  # it is told where it is asked
        raise service.as_error(error) from error


def _words(name: Any) -> dict[str, str]:
    """The words of a question of the library.

    Raises:
        UserError: there is none of that name.
    """
    for question in library():
        if question.name == name:
            return {"target": question.target, "foil": question.foil}
    raise UserError(f"There is no question {str(name)[:40]!r}: choose {_names()}.")


def _names() -> str:
    return ", ".join(question.name for question in library())


def _parameters(experiment: Experiment) -> Iterator[Parameter]:
    """What the experiment takes of a view, its own options, the model, and one's own question."""
    if experiment.asks_about_a_neuron:
        named = "layer and number from zero, such as L25N1527; empty for the best one."
        yield Parameter("neuron", str, "", named)
    yield from _prompts(experiment)
    yield from _asked_words(experiment)
    yield from (_of(experiment, each) for each in experiment.options if is_open(each))
    yield Parameter("model", str, "", "name of the model; empty for the Space's own.")
    if "pair" in experiment.needs:
        more = CONFIRMED * (experiment.name == NEURON) + EVEN * experiment.even
        for name, meaning in OWN_MEANING.items():
            also = more if name in ("lines", "template") else ""
            yield Parameter(name, str, "", meaning + also)


def _prompts(experiment: Experiment) -> Iterator[Parameter]:
    """The two prompts, as far as they are read."""
    needs = set(experiment.needs)
    if {"prompts", "pair"} & needs:
        may = "" if "pair" in needs else "; may be empty"
        even = ", with as many tokens as the clean one" if experiment.even else ""
        foil = f"a prompt that calls for the foil{even}{may}."
        yield Parameter("clean", str, USUAL.clean, "the prompt that calls for the target.")
        yield Parameter("corrupted", str, USUAL.corrupted, foil)
    elif not {"words", "corpus"} & needs:
        weighed = "the prompt after which a set's tokens are weighed; else it is not read."
        yield Parameter("clean", str, USUAL.clean, weighed)


def _asked_words(experiment: Experiment) -> Iterator[Parameter]:
    """Target and foil, or the question of the library that has them."""
    if "words" in experiment.needs:
        yield Parameter("question", str, USUAL.name, f"whose words are tried: {_names()}.")
        return
    also = [SETS] * (not experiment.single) + [LONG] * experiment.long
    space = "; ".join(["with its leading space", *also]) + "."
    yield Parameter("target", str, USUAL.target, f"the token asked for, {space}")
    yield Parameter("foil", str, USUAL.foil, f"the token it competes with, {space}")


def is_open(option: Option) -> bool:
    """Whether a visitor may set it: he has bounds of his own, or it costs nothing."""
    cheap = option.name == "seed" or (option.shows and bool(option.choices))
    return option.live is not None or cheap


def _of(experiment: Experiment, option: Option) -> Parameter:
    """An option as a parameter: empty stands for no text."""
    usual = (experiment.app or {}).get(option.name, option.default)
    default = "" if usual is None and option.kind is str else usual
    return Parameter(option.name, option.kind, default, option.help + _limits(option))


def _limits(option: Option) -> str:
    """Which values are allowed, in words."""
    if option.choices:
        return f" One of {', '.join(option.choices)}."
    if option.kind is str or option.live is None or option.live.high is None:
        return ""
    low, high = option.bounds(live=True)
    return f" From {low:,} to {high:,}."


def _documentation(experiment: Experiment, parameters: tuple[Parameter, ...]) -> str:
    """What it asks, what it costs, its parameters, and what may go wrong."""
    arguments = "\n".join(f"    {p.name}: {p.meaning}" for p in parameters)
    return f"{experiment.asks} {HOW}\n\nArgs:\n{arguments}\n\nReturns:\n    {experiment.returns}\n"
