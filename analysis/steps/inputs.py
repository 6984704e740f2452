"""What a study asks of its steps, and what a step is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from analysis.loading.assets import CORPUS
from analysis.neuron import Neuron
from analysis.progress import Progress
from analysis.question import PromptPair
from analysis.subject import Subject

RIVALS = 3
"""How many of the sweep's next-best neurons are looked at beside the best."""


@dataclass(frozen=True)
class Inputs:
    """What a study asks: the question, the sweep's best neurons, best first, and the seed."""

    pair: PromptPair
    held_out: tuple[PromptPair, ...]
    seed: int
    best: tuple[Neuron, ...] = ()

    @property
    def neuron(self) -> Neuron:
        """The neuron that the study is about; the sweep has to come first."""
        assert self.best, "steps that ask about a neuron come after the sweep"
        return self.best[0]


Run = Callable[[Subject, Inputs, Progress], Any]
Described = Callable[[Inputs], Any]
Applies = Callable[[Subject, Inputs], bool]


def always(_subject: Subject, _inputs: Inputs) -> bool:
    """A step of every study."""
    return True


def neuron(inputs: Inputs) -> str:
    """The neuron, for the record."""
    return str(inputs.neuron)


def held_out(inputs: Inputs) -> tuple[tuple[str, str], ...]:
    """The held-out prompts, for the record."""
    return tuple((pair.clean.text, pair.corrupted.text) for pair in inputs.held_out)


def drawn(sample: str) -> Described:
    """What was drawn from the corpus, for the record."""
    return lambda _inputs: f"{sample}, {CORPUS.member_sha256}"


@dataclass(frozen=True)
class Step:
    """One experiment of the study.

    Attributes:
        name: name of the step and of its files.
        kind: class of its result.
        run: computes it.
        asks: what it asks beyond the pair, by name, in plain values, for the record.
        reads: modules it rests on beside its experiment, such as the corpus.
        home: module of its experiment.
        applies: whether a study of this model and question has it.
    """

    name: str
    kind: type
    run: Run
    asks: dict[str, Described] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    home: str = ""
    applies: Applies = always

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that its result rests on, with all that they import."""
        return (self.home or f"analysis.experiments.{self.name}", *self.reads)
