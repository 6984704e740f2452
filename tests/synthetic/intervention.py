"""The synthetic result of exchanging one neuron's activation in one prompt."""

import numpy as np

from analysis.experiments.intervention.compute import RESAMPLE, SETTINGS, Intervention
from tests.synthetic.plan import Plan, text

DRAWS, ACTIVATION, FACTOR = 6, 10.0, 2.0
SHARE = 0.8
"""What target and foil hold together while they trade with each other alone."""


def intervention(plan: Plan) -> Intervention:
    """The foil takes over without the neuron; or nothing changes but by the luck of the draw."""
    diff = np.array([1.0, -2.0, -2.0, -2.0, -4.0, 3.0] if plan.holds else [1.0] * len(SETTINGS))
    spread = np.linspace(-0.1, 0.1, DRAWS) if plan.holds else np.linspace(-0.9, 0.9, DRAWS)
    drawn = diff[RESAMPLE] + spread
    others = tuple(t for t in dict.fromkeys(plan.extra) if t not in (plan.target, plan.foil))
    wrote = [
        f"{plan.target if d > 0 else plan.foil}{plan.extra[0]}\n{s if plan.holds else 0}"
        for s, d in enumerate(diff)
    ]
    own = np.array([ACTIVATION, 0, 0.1, 0.2, -ACTIVATION, FACTOR * ACTIVATION])
    return Intervention(
        neuron=plan.neurons[0],
        target=plan.target,
        foil=plan.foil,
        prompt=text(plan.clean),
        factor=FACTOR,
        activation=ACTIVATION,
        set_to=own.astype(np.float32),
        measures=_measures(diff),
        drawn=np.linspace(0.1, 0.3, DRAWS).astype(np.float32),
        drawn_measures=_measures(drawn),
        tokens=(plan.target, plan.foil, *others),
        probabilities=_shares(diff, len(others)),
        drawn_probabilities=_shares(drawn, len(others)),
        continuations=tuple(wrote),
        length=12,
        reference_tokens=100,
    )


def _measures(diff: np.ndarray) -> np.ndarray:
    target, foil = _shares(diff, 0).T
    return np.stack([diff, target, foil, np.abs(diff - 1) / 4], -1).astype(np.float32)


def _shares(diff: np.ndarray, others: int) -> np.ndarray:
    """Target and foil trade their common share; the others divide half of the rest."""
    target = SHARE / (1 + np.exp(-diff))
    rest = np.full((len(diff), others), (1 - SHARE) / 2 / max(1, others))
    return np.column_stack([target, SHARE - target, rest]).astype(np.float32)
