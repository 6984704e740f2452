"""What one call of the command line asks: a model, a question, a neuron, options.

Models and their libraries are imported when asked for, so that ``--help`` answers at once.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from analysis import EMBEDDED, console
from analysis.declaration import Experiment, Option
from analysis.imports import uncollected

if TYPE_CHECKING:
    from analysis.inputs import Inputs
    from analysis.questions import Question
    from analysis.subject import Subject

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@dataclass(frozen=True)
class Loading:
    """The options of every verb that runs a model."""

    model: Annotated[
        str,
        typer.Option(
            help="A name that `models` lists, owner/name[@revision] on the Hugging Face hub, a "
            "folder, or a .gguf file."
        ),
    ] = EMBEDDED
    device: Annotated[str, typer.Option(help="cpu, cuda, mps.")] = "cpu"
    dtype: Annotated[
        str, typer.Option(help="float32 (report these), tf32, bfloat16 or float16.")
    ] = "float32"
    graft: Annotated[
        list[str] | None,
        typer.Option(
            help="A file that `transplant --save` wrote: its neuron is built into the model, as "
            "the last one of its layer. Can be given again."
        ),
    ] = None
    as_json: AsJson = False

    def load(self) -> "Subject":
        """The model, with a word of warning where its numbers will be coarse."""
        with uncollected():
            import_module("analysis.subject")
            from analysis.loading.models import load

        subject = load(self.model, self.device, self.dtype)
        if self.dtype != "float32":
            far = "some hundredths of a logit" if self.dtype == "tf32" else "up to whole logits"
            console.note(f"note: numbers in {self.dtype} are off by {far}; report float32.")
        return self._grafted(subject) if self.graft else subject

    def _grafted(self, subject: "Subject") -> "Subject":
        """With its grafts, and a word on what they are called there."""
        from analysis.loading.grafts import read_graft, with_grafts

        grafted = with_grafts(subject, self.graft or [])
        for number, path in enumerate(self.graft or [], start=subject.d_mlp):
            name = f"L{read_graft(Path(path))[0].layer}N{number}"
            console.GRAFTS[name] = f"{name} (graft)"
            console.note(
                f"note: {name} is the graft {path}; the model's own neurons go from 0 to"
                f" {subject.d_mlp - 1}."
            )
        return grafted


@dataclass(frozen=True)
class Asking(Loading):
    """The options of every verb that asks a question."""

    question: Annotated[
        str | None,
        typer.Option(
            help="A question of the library by its name, or a .toml, .csv or .jsonl file."
        ),
    ] = None
    clean: Annotated[str | None, typer.Option(help="The prompt that calls for the target.")] = None
    corrupted: Annotated[str | None, typer.Option(help="The prompt that calls for the foil.")] = (
        None
    )
    target: Annotated[
        str | None,
        typer.Option(
            help="The word asked for, with its leading space; bars make a set: ' is| was'."
        ),
    ] = None
    foil: Annotated[
        str | None, typer.Option(help="The word it competes with, or a set, likewise.")
    ] = None
    chat: Annotated[
        bool, typer.Option("--chat", help="Put every prompt into the model's chat template.")
    ] = False
    system: Annotated[str | None, typer.Option(help="The system prompt of that chat.")] = None

    def put(self, subject: "Subject") -> "Question":
        """What is asked of a model: its prompts in the chat template, where that is wanted.

        Raises:
            UserError: it cannot be read, makes no question, or there is no template.
        """
        from analysis.chat import in_chat
        from analysis.errors import UserError

        question = self.ask()
        if not self.chat:
            if self.system is not None:
                raise UserError("--system is a part of a chat: give --chat too.")
            return question
        rendered = in_chat(subject, question, self.system)
        console.note(f"note: in its chat template the clean prompt is {rendered.clean!r}.")
        return rendered

    def ask(self) -> "Question":
        """The question that is named or the default one, with the prompts and words given.

        Raises:
            UserError: it cannot be read, or makes no question.
        """
        from analysis import questions
        from analysis.errors import UserError

        mine = self.question is None and (self.clean, self.corrupted) != (None, None)
        if mine and (self.target is None) != (self.foil is None):
            given, other = ("target", "foil") if self.foil is None else ("foil", "target")
            raise UserError(
                f"Only --{given} is given: with prompts of your own give --{other} too, or the"
                " --question whose other word is kept."
            )
        named = questions.default() if self.question is None else questions.load(self.question)
        return named.replaced(self.clean, self.corrupted, self.target, self.foil)


@dataclass(frozen=True)
class Call(Asking):
    """One call of an experiment's verb.

    Attributes:
        experiment: which one.
        named: the neuron and its rivals, where they are named.
        options: its own options, as they were given.
    """

    experiment: Experiment = field(kw_only=True)
    named: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def inputs(self, subject: "Subject") -> "Inputs":
        """All that is asked.

        Raises:
            UserError: something of it cannot be asked.
        """
        from analysis import running

        question = self.put(subject)
        _note_special(subject, self.ask())
        found = running.inputs(self.experiment, subject, question, self.named, self.options)
        if "neuron" in self.experiment.needs and not self.named:
            of = f"a sweep that measured {running.SCREEN} neurons"
            console.note(f"note: {found.neuron} is the best of {of}.")
        return found

    def check(self) -> None:
        """Refuse what can be seen to be wrong before a model is loaded.

        Raises:
            UserError: the question cannot be read, or lacks what the experiment needs.
        """
        from analysis import running

        running.check_suits(self.experiment, self.ask())

    def compute(self, subject: "Subject") -> Any:
        """The Result, with a bar while it takes time; then what may not have been meant."""
        from analysis.hints import hints
        from analysis.running import compute

        inputs = self.inputs(subject)
        _note_cost(self.experiment, subject, inputs)
        with console.watched(self.experiment.verb) as progress:
            result = compute(self.experiment, subject, inputs, progress)
        for hint in hints(subject, inputs.question, inputs.options.get("token")):
            console.note(f"note: {hint}")
        return result

    def summary(self, result: Any) -> dict[str, Any]:
        """The Result as it is printed: for a reader some experiments cut it into tables."""
        part = self.experiment.part
        tables = part("tables", "printed") or part("compute", "tables")
        if tables and not self.as_json:
            answer: dict[str, Any] = tables(result)
            return answer
        return self.experiment.summary(result, **self.experiment.shown(self.options))


def _note_cost(experiment: Experiment, subject: "Subject", inputs: "Inputs") -> None:
    """Tell how long it will take, where that is long."""
    from analysis.cost import LONG, cost, measured_rate

    passes = cost(experiment, subject, inputs, rate=1.0).passes
    if passes > LONG:
        estimate = cost(experiment, subject, inputs, measured_rate(subject))
        console.note(
            f"note: {estimate.passes:,} passes of a token through a layer, "
            f"about {estimate.time} here."
        )


def _note_special(subject: "Subject", question: "Question") -> None:
    """Tell of special tokens that stand in the prompts, which the model does not read as text."""
    from analysis.prompts import special_in

    typed = {
        t: None for text in (question.clean, question.corrupted) for t in special_in(subject, text)
    }
    for token in typed:
        twice = subject.prepend_bos and token == subject.tokenizer.bos_token
        also = ", and puts one before the text too" if twice else ""
        console.note(
            f"note: your text holds {token}; {subject.origin.name} reads it as one special"
            f" token{also}."
        )


def _keyword(name: str, default: Any, kind: Any) -> inspect.Parameter:
    """A parameter of a verb, with what typer reads of it."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


RIVALS = _keyword(
    "rivals",
    "",
    Annotated[
        str, typer.Option(help="Neurons to compare with, separated by commas, such as L2N3,L4N5.")
    ],
)


def _neuron(experiment: Experiment) -> inspect.Parameter:
    which = experiment.which_neuron
    option = typer.Option("--neuron", help=which[0].upper() + which[1:])
    return _keyword("neuron", None, Annotated[str | None, option])


def verb_of(experiment: Experiment, answer: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """The function that the command line calls for an experiment.

    Args:
        experiment: its options are those of the verb, beside those of every question.
        answer: from the call, and options of its own that it names, to what is printed.
    """
    own = _behind_the_first(answer)
    names = {p.name for p in own}

    def verb(**given: Any) -> None:
        shared = [f.name for f in fields(Asking) if f.name not in names]
        asking = {name: given.pop(name) for name in shared}
        named = [given.pop("neuron", None) or "", *(given.pop("rivals", "") or "").split(",")]
        options = {o.name: given.pop(o.name) for o in experiment.options if o.name in given}
        call = Call(
            **asking,
            experiment=experiment,
            named=tuple(name.strip() for name in named if name.strip()),
            options=options,
        )
        console.emit(answer(call, **given), call.as_json)

    parameters = [
        *_fields(Asking),
        *([_neuron(experiment)] if experiment.asks_about_a_neuron else []),
        *([RIVALS] if "rivals" in experiment.needs else []),
        *map(_parameter, experiment.options),
        *own,
    ]
    parameters = list({p.name: p for p in parameters}.values())
    return as_verb(verb, parameters, experiment.name, experiment.asks)


def takes_a_model(
    function: Callable[..., None], options: type[Loading] = Loading
) -> Callable[..., None]:
    """Give a verb the options of a class beside its own; they arrive as one object, first."""

    def verb(**given: Any) -> None:
        function(options(**{f.name: given.pop(f.name) for f in fields(options)}), **given)

    parameters = [*_fields(options), *_behind_the_first(function)]
    return as_verb(verb, parameters, function.__name__, function.__doc__ or "")


def as_verb(
    verb: Callable[..., None], parameters: list[inspect.Parameter], name: str, answer: str
) -> Callable[..., None]:
    """The function with a signature that typer reads."""
    verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    verb.__annotations__ = {p.name: p.annotation for p in parameters}
    verb.__name__, verb.__doc__ = name, answer
    return verb


def _behind_the_first(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """What a function takes beside the object that comes first."""
    own = [*inspect.signature(function).parameters.values()][1:]
    return [_keyword(p.name, p.default, p.annotation) for p in own]


def _fields(options: type[Loading]) -> list[inspect.Parameter]:
    return [_keyword(f.name, f.default, f.type) for f in fields(options)]


def _parameter(option: Option) -> inspect.Parameter:
    """An option as typer reads it."""
    kind: Any = Literal[option.choices] if option.choices else option.kind
    if option.default is None:
        kind = option.kind | None
    bounded = option.kind in (int, float)
    low, high = (option.low, option.high) if bounded else (None, None)
    answer = typer.Option(help=option.help, min=low, max=high)
    return _keyword(option.name, option.default, Annotated[kind, answer])
