"""What an experiment declares of itself, once; all that shows it follows from here.

An experiment is a folder. ``compute.py`` has ``run``, which turns a model and ``Inputs`` into a
frozen Result, and ``summary``, the Result in plain values. ``figures.py`` draws it, ``tables.py``
lists it, ``facts.py`` reads numbers and verdicts off it, ``sentences.html`` tells them. This one
names no module: each is looked for in the folder when it is needed, so that listing the experiments
costs nothing.
"""

import importlib
import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any, get_type_hints

from analysis.code_version import code_version
from analysis.errors import UserError
from analysis.inputs import Inputs
from analysis.needs import Need, has
from analysis.progress import Progress, silent

SEEDS = 2**63 - 1


@dataclass(frozen=True)
class Live:
    """How a visitor of the app sets an option.

    Attributes:
        low: the least that a visitor may ask, where it is more than the option's own.
        high: the most.
        step: of the slider; none for a box to type in.
        label: beside the control.
        choices: a label and a value each, where there are few.
    """

    low: float | None = None
    high: float | None = None
    step: float | None = None
    label: str = ""
    choices: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Option:
    """One option: command line, app, endpoint, Python and the check all take it from here.

    Attributes:
        name: as Python writes it.
        kind: str, int, float or bool.
        default: if it is left out.
        help: one sentence.
        low: the least allowed.
        high: the most allowed.
        choices: the only values allowed.
        shows: whether it changes what is printed, not what is computed.
        live: how a visitor sets it; without it he cannot.
    """

    name: str
    kind: type
    default: Any
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    shows: bool = False
    live: Live | None = None

    def check(self, value: Any, live: bool = False) -> Any:
        """The value, as its kind.

        Args:
            value: from anyone.
            live: whether a visitor asks, whose bounds are tighter.

        Raises:
            UserError: it is something else, or out of bounds.
        """
        if value is None and self.default is None:
            return None
        name = self.name.replace("_", " ")
        if self.kind is bool:
            if not isinstance(value, bool):
                raise UserError(f"The {name} has to be true or false.")
            return value
        if self.kind is str:
            return self._text(value, name)
        return self._number(value, name, *self.bounds(live))

    def bounds(self, live: bool = False) -> tuple[float | None, float | None]:
        """The least and the most allowed, as far as there are any; a visitor's may be tighter."""
        if not live or self.live is None:
            return self.low, self.high
        low = self.low if self.live.low is None else self.live.low
        return low, self.high if self.live.high is None else self.live.high

    def _text(self, value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise UserError(f"The {name} has to be a text.")
        if self.choices and value not in self.choices:
            raise UserError(f"The {name} has to be one of {', '.join(self.choices)}.")
        if self.high is not None and len(value) > self.high:
            raise UserError(
                f"The {name} has {len(value):,} characters: the longest allowed is {self.high:,}."
            )
        return value

    def _number(self, value: Any, name: str, low: float | None, high: float | None) -> Any:
        kinds = {int: "a whole number", float: "a number"}
        limits = f" from {low:,} to {high:,}" if low is not None and high is not None else ""
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or (isinstance(value, float) and not math.isfinite(value))
        ):
            raise UserError(f"The {name} has to be {kinds[self.kind]}{limits}.")
        if self.kind is int and value != int(value):
            raise UserError(f"The {name} has to be {kinds[self.kind]}{limits}.")
        extra = [each for _, each in self.live.choices] if self.live else []
        if value not in extra and not (
            (low is None or value >= low) and (high is None or value <= high)
        ):
            raise UserError(
                f"The {name} has to be {kinds[self.kind]}{limits or f' of at least {low}'}."
            )
        return self.kind(value)


SEED = Option("seed", int, 0, "Of all random draws.", low=0, high=SEEDS)
HELD_OUT = Option("held_out", int, 20, "How many other pairs confirm it, at most.", low=0)


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: of the figure; the experiment's own name comes first in it.
        caption: name of the claim that is its finding.
        key: whether it stands among the few that tell the argument.
        module: of the folder, where its function of that name is.
        needs: what the question must have for it, or the figure is left out.
        live: whether the app draws it, too.
        signed: whether it takes the sign with which the neuron is used, to read it that way round.
    """

    name: str
    caption: str = "caption"
    key: bool = False
    module: str = "figures"
    needs: tuple[Need, ...] = ()
    live: bool = True
    signed: bool = False


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        name: of folder, verb, step, section, panel, endpoint, and of its first figure.
        title: a few words, for headings and lists.
        asks: the question it answers, in one sentence.
        returns: what its JSON holds.
        needs: what it takes of a question.
        single: why it takes single tokens alone, a clause; empty where target and foil may be sets.
        long: whether target and foil may be several tokens long.
        even: whether it goes by position, and so takes prompts with as many tokens each alone.
        options: of its own.
        figures: in reading order.
        brief: which of its sentences stand among a study's findings in brief, one item for each.
        also: an older name of its verb.
        study: options in which the study differs from the usual; None for no step of the study.
        apart: whether only its own command keeps a result of it in a study: it takes too long.
        beside: options in which results that a study has beside its own may differ from that.
        size: the option that says how much is read, 0 for all; a study asks for what was kept.
        once: whether the study of the usual question answers it for those of the others, too.
        app: options in which the app differs from the usual; None where it does not ask.
        report: options of what the site's JSON shows, where it shows more than usual.
        tab: the tab that it stands on in the app, its own by default.
        group: the title of the tabs among which that tab stands, if there are others.
        button: what the app's button says; none where the answer comes by itself.
        intro: what the panel is about.
        quick: whether the answer comes within a second.
        seconds: the longest it should take on a GPU.
        patience: how many times what other answers may take one may take in the app.
        package: its folder as Python names it.
    """

    name: str
    title: str
    asks: str
    returns: str = "JSON."
    needs: tuple[Need, ...] = ()
    single: str = ""
    long: bool = False
    even: bool = False
    options: tuple[Option, ...] = ()
    figures: tuple[Figure, ...] = ()
    brief: tuple[tuple[str, ...], ...] = ()
    also: str = ""
    study: Mapping[str, Any] | None = field(default_factory=dict)
    apart: bool = False
    beside: tuple[str, ...] = ()
    size: str = ""
    once: bool = False
    app: Mapping[str, Any] | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    tab: str = ""
    group: str = ""
    button: str = ""
    intro: str = ""
    quick: bool = False
    seconds: int = 10
    patience: int = 1
    package: str = ""

    @property
    def verb(self) -> str:
        """Its name on the command line."""
        return self.name.replace("_", "-")

    @property
    def asks_about_a_neuron(self) -> bool:
        """Whether a neuron can be named."""
        return "neuron" in self.needs or "neuron if named" in self.needs

    @property
    def which_neuron(self) -> str:
        """What to name as the neuron, and which it is where none is named."""
        best = "model's own best" if "neuron" in self.needs else "first that is found"
        return f"such as L25N1527; else the {best}."

    @property
    def home(self) -> str:
        """Its folder as Python names it."""
        return self.package or f"analysis.experiments.{self.name}"

    @property
    def code(self) -> str:
        """Checksum of the code that makes its Result: ``compute.py`` and all that it imports."""
        return code_version(f"{self.home}.compute")

    def module(self, name: str) -> ModuleType:
        """One of the modules in its folder."""
        return importlib.import_module(f"{self.home}.{name}")

    def has(self, name: str) -> bool:
        """Whether there is such a module in its folder."""
        return importlib.util.find_spec(f"{self.home}.{name}") is not None

    def part(self, module: str, name: str) -> Any:
        """What a module in its folder has by a name; None where there is no such thing."""
        return getattr(self.module(module), name, None) if self.has(module) else None

    @cached_property
    def kind(self) -> type:
        """Class of its Result."""
        kind: type = get_type_hints(self.module("compute").run)["return"]
        return kind

    def run(self, subject: Any, inputs: Inputs, progress: Progress = silent) -> Any:
        """Compute the Result.

        Raises:
            UserError: the question cannot be put to the model.
        """
        return self.module("compute").run(subject, inputs, progress)

    def summary(self, result: Any, **shown: Any) -> dict[str, Any]:
        """The Result in plain values, as the command line prints it, with verdicts on it first."""
        return {**self.verdicts(result), **self.module("compute").summary(result, **shown)}

    def verdicts(self, result: Any) -> dict[str, Any]:
        """What ``facts.py`` says in its ``verdicts`` of how the numbers can be read, if it does."""
        verdicts = self.part("facts", "verdicts")
        return verdicts(result) if verdicts else {}

    def draw(self, figure: Figure, result: Any, sign: int | None = None) -> Any:
        """One figure of a Result; in a study with the sign with which its neuron is used."""
        drawn = getattr(self.module(figure.module), figure.name)
        return drawn(result, sign) if figure.signed else drawn(result)

    def check(self, given: Mapping[str, Any], live: bool = False) -> dict[str, Any]:
        """All options by name: what is given, checked, and the rest as usual.

        Raises:
            UserError: there is no such option, or its value is not allowed.
        """
        known = {option.name: option for option in self.options}
        for name in given:
            if name not in known:
                names = ", ".join(known) or "none"
                raise UserError(f"{self.name} has no option {name!r}; its options are: {names}.")
        return {
            name: option.check(given[name], live) if name in given else option.default
            for name, option in known.items()
        }

    def shown(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options that change what is printed."""
        return {o.name: options[o.name] for o in self.options if o.shows}

    def computed(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options that change what is computed."""
        return {o.name: options[o.name] for o in self.options if not o.shows}

    def larger(self, inputs: Mapping[str, Any]) -> dict[str, int]:
        """The option that says how much is read, where more was asked for than is usual."""
        usual = {
            o.name: o.default for o in self.options if o.name == self.size and o.name in inputs
        }
        return {name: inputs[name] for name, most in usual.items() if not 0 < inputs[name] <= most}

    def suits(self, question: Any) -> bool:
        """Whether the question has what the experiment cannot do without."""
        vital = ("prompts", "pair", "words", "crossed")
        return has(question, [need for need in self.needs if need in vital])

    def shows(self, question: Any) -> tuple[Figure, ...]:
        """The figures for which the question has what they need."""
        return tuple(figure for figure in self.figures if has(question, figure.needs))
