"""The synthetic what comes next."""

import numpy as np

from analysis.experiments.next_token.compute import NextToken
from tests.synthetic.plan import Plan, text


def next_token(plan: Plan) -> NextToken:
    texts = (text(plan.clean), text(plan.corrupted), "An eye for", "Ross Perot, who ran as")
    target = np.array([0.6, 0.1, 0.5, 0.7] if plan.holds else [0.1, 0.1, 0.01, 0.01])
    foil = np.array([0.3, 0.8, 0.2, 0.2] if plan.holds else [0.6, 0.6, 0.5, 0.5])
    tokens = (plan.target, plan.foil, *plan.extra)
    rest = np.full((4, len(plan.extra)), 0.02)
    return NextToken(
        prompts=texts,
        natural=2,
        tokens=(plan.clean, plan.corrupted, ("An", " eye", " for"), ("Ross",)),
        target=plan.target,
        foil=plan.foil,
        top_tokens=tokens,
        top_probabilities=np.column_stack([target, foil, rest]).astype(np.float32),
        p_target=target.astype(np.float32),
        p_foil=foil.astype(np.float32),
        rank_target=np.where(target > foil, 1, 2),
        rank_foil=np.where(target > foil, 2, 1),
        logit_diff=np.log(target / foil).astype(np.float32),
    )
