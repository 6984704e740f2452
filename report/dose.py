"""The slider of the short post: what the model says with a neuron's output weights scaled."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int
from markupsafe import Markup

from analysis.claims.making import command
from analysis.evidence import Evidence
from analysis.experiments import named
from analysis.token_sets import members
from analysis.wording import factor, goes_on, percent, plain
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
        tokens: those with a bar, the likeliest of the model as it is first, and whose each is: the
            target's, the foil's, or nobody's.
        steps: from the least factor to the largest.
        at: the place of factor 1, at which it stands first.
        command: the command that computes it.
        data: all steps as JSON that is safe inside a script element.
    """

    prompt: str
    tokens: tuple[tuple[str, str], ...]
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
    result, at = evidence.weight_modulation, evidence.weight_modulation.factors.index(1.0)
    order = np.argsort(-result.likely_p[at, :SHOWN], kind="stable")
    steps = tuple(_step(result, place, order) for place in range(len(result.factors)))
    whose = dict.fromkeys(members(result.foil), "foil")
    whose |= dict.fromkeys(members(result.target), "target")
    tokens = [result.likely[i] for i in order]
    factors = [{**vars(step), "factor": str(step.factor)} for step in steps]
    return Dose(
        prompt=result.prompts[0],
        tokens=tuple((plain(token), whose.get(token, "")) for token in tokens),
        steps=steps,
        at=at,
        command=command(evidence, named("weight_modulation")),
        data=safe_json(json.dumps({"steps": factors}, ensure_ascii=False)),
    )


def _step(result: Any, place: int, order: Int[np.ndarray, " token"]) -> Step:
    shares = result.likely_p[place, order]
    return Step(
        factor=str(factor(result.factors[place])),
        percents=tuple(np.round(100 * shares, 1).tolist()),
        shares=tuple(percent(float(share)) for share in shares),
        text=goes_on(result.greedy[place]),
    )
