"""The synthetic result of neurons patched in sets."""

import numpy as np

from analysis.experiments.neuron_sets.measured import NeuronSets
from tests.synthetic.plan import PAIRS, Plan, question

SIZES = np.array([1, 2, 3, 5, 10, 20, 32])
DRAWS = 4


def neuron_sets(plan: Plan) -> NeuronSets:
    """If it holds: two neurons are enough, here and elsewhere. Otherwise no few of them are."""
    total = plan.layers * plan.d_mlp
    sizes = SIZES[total >= SIZES]
    curve = np.array([0.6, 0.85, 0.87, 0.88, 0.89, 0.9, 0.9] if plan.holds else SIZES * 0.01)
    curve = curve[: len(sizes)]
    orders = np.stack([curve * 0.95, curve * 0.95 if plan.holds else curve * 0.3, curve])
    if not plan.holds:
        orders[0] = curve
    shares = np.stack([orders, orders * (0.8 if plan.holds else 0.4)]).astype(np.float32)
    if plan.holds:
        shares[:, 2, 5:] = 1.4
    few = sizes[sizes <= 20]
    controls = np.zeros((2, 2, DRAWS, len(few)), np.float32) + (0.01 if plan.holds else 0.5)
    effect = np.broadcast_to(
        np.minimum(shares[..., : len(few)], 0.9 if plan.holds else 0.02), (PAIRS, 2, 3, len(few))
    )
    smallest = [[1, 2, 20]] * 3 if plan.holds else [[0, 0, 0]] * 3
    smallest = np.where(np.array(smallest) <= sizes[-1], smallest, 0)
    least = np.full((PAIRS, 3, 3), 0.87 if plan.holds else 0.0, np.float32)
    return NeuronSets(
        **question(plan),
        clean_diff=3.0,
        corrupted_diff=-2.0,
        shape=(plan.layers, plan.d_mlp),
        shortlist=total,
        singly=min(20, total),
        order=np.stack([np.arange(total)[::-1]] * 3).astype(np.int32),
        sizes=sizes,
        shares=shares,
        everything=np.array([0.7, 0.6] if plan.holds else [0.9, 0.9], np.float32),
        control_sizes=few,
        controls=controls,
        noise=1e-6,
        size=min(2, total),
        size_shares=shares[:, :, min(1, len(sizes) - 1)],
        continuations=tuple(f"{plan.target} {size}" for size in sizes),
        smallest=smallest,
        held_out=tuple(f"{plan.clean[-1]} {i} / {plan.corrupted[-1]} {i}" for i in range(PAIRS)),
        held_out_gap=np.ones(PAIRS, dtype=np.float32),
        held_out_effect=effect.astype(np.float32),
        held_out_everything=np.full((PAIRS, 2), 0.7, np.float32),
        held_out_smallest=least,
    )
