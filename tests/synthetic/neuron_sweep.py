"""The synthetic sweep."""

import numpy as np

from analysis.experiments.neuron_sweep.measured import NeuronSweep
from analysis.neuron import parse_neuron
from tests.synthetic.plan import PAIRS, Plan, question


def neuron_sweep(plan: Plan) -> NeuronSweep:
    recovery = (
        np.random.default_rng(0).normal(0, 1e-3, (plan.layers, plan.d_mlp)).astype(np.float32)
    )
    if len(plan.neurons) > 1:
        recovery[2, 1], recovery[2, 2] = 0.03, 0.02
    recovery[plan.best] = 0.6 if plan.holds else 0.04
    attribution = recovery.copy()
    attribution[plan.best] *= 1.2 if plan.holds else 0.0
    effect = np.full((PAIRS, len(plan.neurons)), 0.01, dtype=np.float32)
    effect[:, 0] = np.linspace(0.5, 0.7, PAIRS) if plan.holds else -0.01
    return NeuronSweep(
        **question(plan),
        positions="last",
        selection=(f"{plan.clean[-1]} / {plan.corrupted[-1]}",),
        selection_gap=np.full(1, 5.0, dtype=np.float32),
        selection_effect=np.array(
            [[5 * recovery[parse_neuron(n, *recovery.shape)] for n in plan.neurons]], np.float32
        ),
        clean_diff=3.0,
        corrupted_diff=-2.0,
        recovery=recovery,
        exact=np.ones_like(recovery, dtype=bool),
        attribution=attribution,
        activation_change=recovery * (10 if plan.holds else -10),
        noise=1e-6 if plan.holds else 0.05,
        engine="exact",
        outside=(),
        outside_recovery=np.zeros(0, dtype=np.float32),
        candidates=plan.neurons,
        noising=np.array(
            [recovery[parse_neuron(n, *recovery.shape)] * 0.8 for n in plan.neurons], np.float32
        ),
        beside_best=np.array(
            [recovery[parse_neuron(n, *recovery.shape)] for n in plan.neurons], np.float32
        ),
        held_out=tuple(f"{plan.clean[-1]} {i} / {plan.corrupted[-1]} {i}" for i in range(PAIRS)),
        held_out_gap=np.ones(PAIRS, dtype=np.float32),
        held_out_effect=effect,
        held_out_noising=effect * 0.8,
        held_out_beside=np.where(np.arange(len(plan.neurons)) == 1, 0.1, 1.0) * effect,
    )


def held_out(sweep: NeuronSweep, pairs: int) -> dict[str, object]:
    """The fields of a sweep with so many of its held-out pairs."""
    names = ("held_out", "held_out_gap", "held_out_effect", "held_out_noising", "held_out_beside")
    return {name: getattr(sweep, name)[:pairs] for name in names}
