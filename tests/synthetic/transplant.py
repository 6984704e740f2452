"""The synthetic result of a neuron in another model, which is kept beside a study's steps."""

from dataclasses import replace

import numpy as np

from analysis.experiments.transplant.found import Transplant
from analysis.experiments.transplant.judged import GAINS
from analysis.experiments.transplant.measured import VARIANTS
from tests.synthetic.plan import Plan, question

LAYERS = 6


def transplant(plan: Plan) -> Transplant:
    """If it holds: the graft gains two logits on every ground, as the neuron does in its donor.

    Otherwise it raises the target after everything alike, by which choices get better.
    """
    asked = question(plan)
    margin = 2.0 if plan.holds else 0.0
    gains = np.zeros((len(VARIANTS), 3, len(GAINS), 3))
    rows = np.array([margin, 2.0, 2.0 - margin, 0.25, -0.3, 0.2 if plan.holds else 0.0])
    gains[:2] = spread(rows)
    gains[2:] = spread(np.zeros(len(GAINS)))
    gains[VARIANTS.index("constant bias")] = spread(np.array([0.0, 2.0, 2.0, 0.25, -0.3, 0.0]))
    explained = np.linspace(0.1, 0.8 if plan.holds else 0.2, 3 * LAYERS)
    effect = spread(np.full(3, 2.0))
    cost = spread(np.linspace(0.001, 0.01, len(VARIANTS)), 0.001)
    return Transplant(
        donor=plan.model,
        neuron=plan.neurons[0],
        recipient=f"{plan.model} the other",
        recipient_revision="0" * 64,
        cut="",
        target=asked["target"],
        foil=asked["foil"],
        layer=3,
        chosen=True,
        explained=explained.reshape(LAYERS, 3).astype(np.float32),
        tokens=5000,
        own="L2N1",
        other="L0N1",
        variants=VARIANTS,
        grounds=("words", "templates", "natural"),
        texts=np.array([[10, 14], [60, 84], [30, 30]]),
        units=np.array([24, 24, 50]),
        articles=20,
        donor_area=spread(np.full(3, 0.95), 0.02),
        area=spread(np.full(3, 0.9 if plan.holds else 0.5), 0.05),
        likeness=np.full(3, 0.8 if plan.holds else 0.0, np.float32),
        donor_margins=np.tile(np.array([3.0, 1.0], np.float32), (3, 1)),
        donor_effect=effect,
        margins=np.ones(3, np.float32),
        shares=np.full(3, 0.5, np.float32),
        after=(1 + gains[:, :, 0, 0]).astype(np.float32),
        gains=gains.astype(np.float32),
        copied=spread(np.full(3, margin / 2)),
        restored=np.full((3, 3), np.nan, np.float32),
        places=np.array([600, 580]),
        cost=cost,
        other_cost=cost,
        divergence=cost,
        reads=np.ones((2, 4), np.float32),
        writes=np.ones(4, np.float32),
        uncut_cost=np.full(3, np.nan, np.float32),
    )


def put_back(plan: Plan) -> Transplant:
    """The same neuron cut out of its own model and grafted there; if it holds, 98 % are back."""
    made = transplant(plan)
    return replace(
        made,
        cut=made.neuron,
        recipient=f"{made.donor} without {made.neuron}",
        gains=(made.gains * 0.98).astype(np.float32),
        restored=spread(np.full(3, 0.98 if plan.holds else 0.0), 0.02),
        uncut_cost=np.array([0.0002, -0.0001, 0.0005], np.float32),
    )


def spread(values: np.ndarray, half: float = 0.1) -> np.ndarray:
    """Estimates with intervals of that half width."""
    return np.stack([values, values - half, values + half], -1).astype(np.float32)
