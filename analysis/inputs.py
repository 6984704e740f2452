"""All that is asked of an experiment, built in one way for whoever asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analysis.neuron import Neuron

if TYPE_CHECKING:
    from analysis.questions.question import Question


@dataclass(frozen=True)
class Inputs:
    """All that is asked of an experiment: built in one way for study, command line, app and Python.

    Attributes:
        question: prompts, target, foil, and what confirms.
        neurons: the neuron and its rivals; empty where none is asked about.
        options: every option of the experiment by name, checked.
    """

    question: "Question"
    neurons: tuple[Neuron, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, option: str) -> Any:
        """The value of an option."""
        return self.options[option]

    @property
    def neuron(self) -> Neuron:
        """The neuron asked about."""
        return self.neurons[0]
