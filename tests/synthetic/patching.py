"""The synthetic patching of components."""

import numpy as np

from analysis.experiments.patching.compute import COMPONENTS, Patching
from tests.synthetic.plan import Plan, text


def patching(plan: Plan) -> Patching:
    start = [a == b for a, b in zip(plan.clean, plan.corrupted, strict=True)].index(False)
    restored = np.zeros((len(COMPONENTS), plan.layers, len(plan.clean)), dtype=np.float32)
    restored[0, :2, start] = 1.0
    restored[0, 2:, -1] = 1.0
    early = min(1, plan.layers - 1)
    restored[2, plan.best[0], -1] = 0.7 if plan.holds else 0.2
    restored[1, early, -1] = 0.5
    heads = np.zeros((plan.layers, plan.heads), dtype=np.float32)
    heads[early] = ((0.8, 0.1) if plan.holds else (0.3, 0.28))[: plan.heads]
    return Patching(
        clean=text(plan.clean),
        corrupted=text(plan.corrupted),
        target=plan.target,
        foil=plan.foil,
        clean_tokens=plan.clean,
        corrupted_tokens=plan.corrupted,
        start=start,
        components=COMPONENTS,
        clean_diff=3.0,
        corrupted_diff=-2.0,
        restored=restored,
        broken=restored * (0.9 if plan.holds else 0.4),
        heads_restored=heads,
        heads_broken=heads,
    )
