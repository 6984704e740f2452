"""From two words to a neuron: who writes the difference, and who carries it between two prompts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from analysis.errors import UserError
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.experiments.neuron_sweep.measured import NeuronSweep, ranked
from analysis.experiments.writers.compute import Writer, writers, written
from analysis.inputs import Inputs
from analysis.linearity import frozen
from analysis.neuron import parse_neuron
from analysis.progress import Progress, silent
from analysis.prompts import PromptPair
from analysis.result import Result
from analysis.subject import Subject

LISTED = 15
OPPOSED = 5
"""How many of the neurons that work against the answer are listed, at most."""


@dataclass(frozen=True)
class Found(Result):
    """Neurons for a target against a foil, by weights and by patching.

    Attributes:
        writers: those whose output weights write the difference most.
        sweep: those that carry it from one prompt to the other.
        logits: what every neuron writes for each unit of activation above zero: target minus foil,
            final norm's scale left out.
        frozen_at: the prompt at whose end norms behind the MLPs are frozen, if there are any.
        weighted_at: the prompt after which the tokens of sets are weighted, if there are sets.
    """

    writers: tuple[Writer, ...]
    sweep: NeuronSweep
    logits: Float[np.ndarray, "layer d_mlp"]
    frozen_at: str = ""
    weighted_at: str = ""

    def save(self, folder: Path | str) -> None:
        """Never: what it found is in a sweep of the same question, which can be saved.

        Raises:
            UserError: always.
        """
        raise UserError(
            "A search is not saved: run neuron_sweep with the same question and save that."
        )


def find(
    subject: Subject, pair: PromptPair, screen: int, seed: int = 0, progress: Progress = silent
) -> Found:
    """Order all neurons by what they write, and by what they recover when patched alone.

    A neuron high on both lists writes the word and is used for it on these prompts.

    Args:
        subject: the model.
        pair: the question.
        screen: how many neurons, best by attribution, are patched; 0 patches all.
        seed: of the sweep's random draws.
        progress: told the finished fraction.

    Raises:
        UserError: the prompts do not differ in their logit difference.
    """
    sweep = neuron_sweep(subject, pair, (), "last", screen, seed, progress)
    comparable = frozen(subject, pair.clean)
    most = writers(comparable, pair.contrast, LISTED, prompt=pair.clean)
    logits = written(comparable, pair.contrast, prompt=pair.clean).cpu().numpy()
    at = pair.clean.text if pair.contrast.has_sets else ""
    return Found(most, sweep, logits, comparable.frozen_at, at)


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Found:
    """Both lists for the question's pair."""
    pair = inputs.question.pair(subject)
    return find(subject, pair, inputs["screen"], inputs["seed"], progress)


def summary(found: Found) -> dict[str, Any]:
    """Both lists in plain values, and who works against the answer.

    Beside each neuron is its standing on the other list. Its ``logits`` are what it writes for
    each unit of activation: below zero where it writes the target when it is negative.
    """
    sweep = found.sweep
    written = [writer.neuron for writer in found.writers]
    order = ranked(sweep)
    best = [str(neuron) for neuron in order[:LISTED]]
    lowest = [str(neuron) for neuron in order[: -OPPOSED - 1 : -1] if sweep.recovery[neuron] < 0]
    return {
        "target": sweep.target,
        "foil": sweep.foil,
        "best": str(sweep.best),
        "on_both_lists": [name for name in best if name in written],
        "frozen_at": found.frozen_at or None,
        "by_weights": [_row(found, name) for name in written],
        "by_patching": [_row(found, name) for name in best],
        "against": [_row(found, name) for name in lowest],
    }


def _row(found: Found, name: str) -> dict[str, Any]:
    """A neuron by what it recovers, with what it writes."""
    sweep = found.sweep
    neuron = parse_neuron(name, *sweep.recovery.shape)
    return {
        "neuron": name,
        "recovery": float(sweep.recovery[neuron]),
        "measured": bool(sweep.exact[neuron]),
        "logits": float(found.logits[neuron]),
    }
