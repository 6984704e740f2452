"""The synthetic result of neurons patched in pairs."""

import numpy as np

from analysis.experiments.interactions.compute import Interactions
from tests.synthetic.plan import Plan, question


def interactions(plan: Plan) -> Interactions:
    """If it holds: one pair stands in line, the others add up. Otherwise each needs the others."""
    names = tuple(sorted(plan.neurons))
    count = len(names)
    alone = np.linspace(0.3, 0.6, count).astype(np.float32)
    together = (alone[:, None] + alone).astype(np.float32)
    frozen = np.repeat(alone[:, None], count, 1)
    if count > 1 and plan.holds:
        together[0, -1] = together[-1, 0] = alone[-1]
        frozen[0, -1] = 0.05
    elif count > 1:
        together += 0.4
    excess = together - alone[:, None] - alone
    np.fill_diagonal(excess, 0)
    np.fill_diagonal(together, alone)
    return Interactions(
        **question(plan),
        clean_diff=3.0,
        corrupted_diff=-2.0,
        neurons=names,
        recovery=alone,
        noising=alone * np.float32(0.8),
        together=together,
        frozen=frozen,
        noise=1e-6,
        few=np.arange(count),
        held_out=("a / b", "c / d", "e / f"),
        held_out_gap=np.full(3, 5, np.float32),
        held_out_excess=(5 * excess * np.array([0.9, 1, 1.1])[:, None, None]).astype(np.float32),
    )
