"""The synthetic result of a circuit."""

import numpy as np

from analysis.experiments.circuit.measured import SHARES, Circuit
from tests.synthetic.plan import Plan, question


def circuit(plan: Plan) -> Circuit:
    """If it holds: a head feeds the planted neuron, which says the word. Otherwise nothing does."""
    best, last = plan.neurons[0], len(plan.clean) - 1
    nodes = ("MLP 0", "L0H0" if plan.layers == 1 else "L2H0", best)
    edges = np.full((4, 4), np.nan, np.float32)
    edges[0, 0], edges[1, 1], edges[2, 2], edges[3, 3] = 0.9, 0.8, 0.7, 0.6
    edges[2, 3], edges[1, 2] = -0.1, 0.01
    strong = 1.0 if plan.holds else 0.3
    curve = np.linspace(0.1, 1, len(SHARES)).astype(np.float32)
    return Circuit(
        **question(plan),
        clean_diff=3.0,
        corrupted_diff=-2.0,
        tokens=plan.clean,
        exchanged=(3,),
        universe=1200,
        shortlist=150,
        apart=50,
        nodes=nodes,
        positions=np.array([3, last, last]),
        restored=np.array([0.9, 0.8, 0.6], np.float32),
        lost=np.array([0.8, 0.6, 0.4], np.float32),
        edges=edges,
        least=0.05,
        kept=np.abs(np.nan_to_num(edges)) >= 0.05,
        faithful=0.7 * strong,
        faithful_nodes=0.75 * strong,
        without=0.02 if plan.holds else 0.6,
        matched=np.linspace(0, 0.1 if plan.holds else 0.9, 10).astype(np.float32),
        edge_sizes=np.array([1, 2, 5, 6]),
        edge_curve=np.array([0, 0, 0.7, 0.7], np.float32),
        sizes=np.array([1, 2, 6, 12, 24, 60, 120, 240, 600, 1200]),
        alone=curve if plan.holds else curve**4,
        complement=curve[::-1].copy() * 0.1 if plan.holds else curve[::-1].copy(),
        random=np.stack([curve**8] * 10),
        held_out=("a / b", "c / d") * 6,
        held_out_gap=np.array([4.0, 5.0] * 6, np.float32),
        held_out_faithful=np.array([2.4, 3.4] * 6, np.float32) * (1 if plan.holds else 0.02),
        held_out_without=np.full(12, 0.1, np.float32),
    )
