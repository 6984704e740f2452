"""What an answer costs, known before it is worked out.

The unit is a pass of one token through one layer. An experiment's ``cost.py`` counts them from
what is asked, to within a factor of two, and says how to ask for less. What is quick whatever is
asked, and what the app does not ask, has none.
"""

import time
from dataclasses import dataclass

import torch

from analysis.declaration import Experiment
from analysis.inputs import Inputs
from analysis.prompts import make_prompt
from analysis.subject import Subject

LONG = 200_000
"""Passes from which a command says how long it will take: about ten seconds on two cores."""

SAMPLE = 128
"""Tokens of the passes that are timed."""


@dataclass(frozen=True)
class Cost:
    """What an answer costs.

    Attributes:
        passes: of one token through one layer.
        seconds: that these take at a measured rate.
        cheaper: how to ask for less; empty where there is no way.
    """

    passes: int
    seconds: float
    cheaper: str = ""

    @property
    def time(self) -> str:
        """About how long it takes, in words."""
        if self.seconds < 100:
            return f"{max(1, round(self.seconds))} s"
        minutes = round(self.seconds / 60)
        return f"{minutes} min" if minutes < 100 else f"{round(minutes / 60)} hours"


def cost(
    experiment: Experiment, subject: Subject, given: Inputs, rate: float, most: int = 0
) -> Cost:
    """What an answer would cost; nothing where no token passes a layer.

    Args:
        experiment: whose answer.
        subject: the model.
        given: what is asked.
        rate: passes in a second.
        most: passes within which a cheaper way is looked for; 0 for no bound.

    Raises:
        UserError: it cannot be asked.
    """
    if not experiment.has("cost"):
        return Cost(0, 0.0)
    module = experiment.module("cost")
    passes = int(module.passes(subject, given))
    cheaper = module.cheaper(subject, given, most) if passes > most > 0 else ""
    return Cost(passes, passes / rate, cheaper)


def measured_rate(subject: Subject) -> float:
    """Passes of a token through a layer in a second, here and now: the better of two tries."""
    tokens = [0] * min(SAMPLE, subject.context)
    best = float("inf")
    for _ in range(2):
        begun = time.perf_counter()
        subject.logits(tokens)
        if subject.device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begun)
    return len(tokens) * subject.n_layers / best


def whole(subject: Subject, *texts: str) -> int:
    """Passes of texts that are read from beginning to end."""
    return subject.n_layers * sum(len(make_prompt(subject, text).tokens) for text in texts if text)


def patched(subject: Subject, patches: int, suffix: int) -> int:
    """Passes of so many patches behind every layer, each followed to the end by its last tokens."""
    return patches * suffix * subject.n_layers * (subject.n_layers - 1) // 2
