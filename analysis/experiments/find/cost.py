"""What it costs to find a neuron: a sweep of the likeliest."""

from analysis.experiments.neuron_sweep.cost import SCREENED, sweep_passes
from analysis.inputs import Inputs
from analysis.subject import Subject


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer: those of its sweep; weights are read without any."""
    return sweep_passes(subject, given, given["screen"])


def cheaper(_subject: Subject, given: Inputs, _most: int) -> str:
    """How to ask for less: fewer neurons."""
    return "" if 0 < given["screen"] <= SCREENED else f"measure the {SCREENED} likeliest"
