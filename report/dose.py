"""The slider of the short post: what the model says with a neuron's output weights scaled."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from analysis.claims.making import command
from analysis.evidence import Evidence
from analysis.experiments import named
from analysis.wording import factor, percent, plain, written
from report.panels import safe_json

SHOWN = 4
"""Next tokens that have a bar."""


@dataclass(frozen=True)
class Step:
    """One place of the slider.

    Attributes:
        factor: of the output weights, as it is written.
        percents: width of each token's bar.
        shares: the same as it is written.
        text: what the model writes on.
    """

    factor: str
    percents: tuple[float, ...]
    shares: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Dose:
    """The slider.

    Attributes:
        prompt: the clean prompt.
        tokens: those with a bar.
        steps: from the least factor to the largest.
        at: the place of factor 1, at which it stands first.
        command: the command that computes it.
        data: all steps as JSON that is safe inside a script element.
    """

    prompt: str
    tokens: tuple[str, ...]
    steps: tuple[Step, ...]
    at: int
    command: str
    data: Markup

    @property
    def start(self) -> Step:
        """The model as it is."""
        return self.steps[self.at]

    @property
    def last(self) -> int:
        """The last place."""
        return len(self.steps) - 1


def dose(evidence: Evidence) -> Dose | None:
    """Read it off the study's weight modulation, if it has one."""
    if not evidence.has("weight_modulation"):
        return None
    result = evidence.weight_modulation
    steps = tuple(_step(result, place) for place in range(len(result.factors)))
    factors = [{**vars(step), "factor": str(step.factor)} for step in steps]
    return Dose(
        prompt=result.prompts[0],
        tokens=tuple(plain(token) for token in result.likely[:SHOWN]),
        steps=steps,
        at=result.factors.index(1.0),
        command=command(evidence, named("weight_modulation")),
        data=safe_json(json.dumps({"steps": factors}, ensure_ascii=False)),
    )


def _step(result: Any, place: int) -> Step:
    shares = result.likely_p[place, :SHOWN]
    return Step(
        factor=str(factor(result.factors[place])),
        percents=tuple(np.round(100 * shares, 1).tolist()),
        shares=tuple(percent(float(share)) for share in shares),
        text=written(result.greedy[place]),
    )
