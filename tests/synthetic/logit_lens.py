"""The synthetic logit lens."""

import numpy as np

from analysis.experiments.logit_lens.compute import LogitLens, half_layers
from tests.synthetic.plan import Plan, text


def logit_lens(plan: Plan) -> LogitLens:
    labels = half_layers(plan.layers)
    clean, corrupted = np.full(len(labels), -2.0), np.full(len(labels), -2.0)
    clean[2 * plan.best[0] + 2 :] = 3.0  # behind MLP 3
    if not plan.holds:
        corrupted[2 * plan.best[0] + 2 :] = 2.5
    own = np.array([clean[-1], corrupted[-1]], dtype=np.float32)
    return LogitLens(
        prompts=(text(plan.clean), text(plan.corrupted)),
        target=plan.target,
        foil=plan.foil,
        labels=labels,
        logit_diff=np.stack([clean, corrupted]).astype(np.float32),
        model_logit_diff=own if plan.holds else own + 1,
    )
