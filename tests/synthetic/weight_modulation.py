"""The synthetic result of scaling a neuron's weights."""

import numpy as np

from analysis.experiments.weight_modulation.compute import WEIGHTS, WeightModulation
from analysis.experiments.weight_modulation.next_words import FACTORS, WRITTEN_FACTORS
from tests.synthetic.plan import Plan, text

SAMPLES = 3


def weight_modulation(plan: Plan) -> WeightModulation:
    """More of the neuron, more of the target; or no answer to the factor, and a large loss."""
    slope = np.array([2.0, 0.5]) if plan.holds else np.zeros(2)
    steps = np.array(FACTORS) - 1
    diff = np.array([1.0, -3.0]) + slope * steps[:, None] + np.zeros((2, 1, 1))
    others = 2 if plan.d_mlp > 1 else 0
    wobble = 0.1 * steps[:, None] * np.array([1.0, -1.0]) * np.ones((others, 2, 1, 1))
    control = np.array([1.0, -3.0]) + wobble
    harm = np.abs(steps) * (1e-4 if plan.holds else 0.2) * np.ones((2, 1))
    spread = 1e-3 if plan.holds else 0.01
    p = 1 / (1 + np.exp(-diff[0, :, 0]))
    rows = [(n, f, s) for n in (0, 1) for f in WRITTEN_FACTORS for s in range(1 + SAMPLES)]
    first = [plan.target if plan.holds and n == 0 and f > 0 else plan.foil for n, f, _ in rows]
    return WeightModulation(
        neuron=plan.neurons[0],
        target=plan.target,
        foil=plan.foil,
        gated=plan.holds,
        prompts=(text(plan.clean), text(plan.corrupted)),
        weights=WEIGHTS,
        factors=FACTORS,
        logit_diff=diff.astype(np.float32),
        p_target=(1 / (1 + np.exp(-diff))).astype(np.float32),
        likely=(plan.target, plan.foil),
        likely_p=np.stack([p, 1 - p], 1).astype(np.float32),
        greedy=tuple(f"{plan.target}{plan.extra[0]} {factor}" for factor in FACTORS),
        controls=tuple(f"L{plan.best[0]}N{i}" for i in range(others)),
        control_diff=control.astype(np.float32),
        control_p=(1 / (1 + np.exp(-control))).astype(np.float32),
        texts=5,
        tokens=150,
        loss=4.0,
        loss_change=harm.astype(np.float32),
        loss_interval=(harm[..., None] + [-spread, spread]).astype(np.float32),
        control_loss_change=np.zeros((min(1, others), 2, len(FACTORS)), dtype=np.float32),
        control_loss_interval=np.zeros((min(1, others), 2, len(FACTORS), 2), dtype=np.float32),
        written_prompt=tuple(n for n, _, _ in rows),
        written_factor=tuple(f for _, f, _ in rows),
        written_sample=tuple(s for _, _, s in rows),
        written_first=tuple(first),
        written_text=tuple(f"{word}{plan.extra[0]}\n{i}" for i, word in enumerate(first)),
        written_length=12,
    )
