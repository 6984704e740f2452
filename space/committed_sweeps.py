"""What a neuron brings back in the sweep of each committed study of its model."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from analysis import results
from analysis.evidence import NEURON, load_question
from analysis.experiments import named
from analysis.experiments.neuron_sweep.measured import NeuronSweep
from analysis.neuron import parse_neuron
from analysis.questions import Question
from space.story import studied


@dataclass(frozen=True)
class Part:
    """What one neuron, patched alone, brings back in the sweep of one study.

    Attributes:
        question: what the question is called.
        target: of the question.
        foil: of the question.
        recovery: share of the pair's logit difference.
        place: among all neurons by the size of that, from 1.
        neurons: how many there are.
    """

    question: str
    target: str
    foil: str
    recovery: float
    place: int
    neurons: int


def parts(model: str, name: str) -> list[Part]:
    """Every committed study whose sweep measured the neuron, the largest part first.

    Raises:
        UserError: no neuron of the model has this name.
    """
    found = list(_parts(model, name))
    return sorted(found, key=lambda part: -abs(part.recovery))


def _parts(model: str, name: str) -> Iterator[Part]:
    for question, sweep in _sweeps(model) if model in studied() else []:
        neuron = parse_neuron(name, *sweep.exact.shape)
        if not sweep.exact[neuron]:
            continue
        sizes, own = np.abs(sweep.recovery), float(sweep.recovery[neuron])
        larger = int((sizes[sweep.exact] > abs(own)).sum())
        yield Part(
            question.label, sweep.target, sweep.foil, own, larger + 1, int(sweep.exact.sum())
        )


@cache
def _sweeps(model: str) -> list[tuple[Question, NeuronSweep]]:
    kind = named(NEURON).kind
    return [
        (load_question(folder), results.load(folder, NEURON, kind))
        for folder in sorted((results.COMMITTED / model).glob("*"))
        if results.exists(folder, NEURON)
    ]
