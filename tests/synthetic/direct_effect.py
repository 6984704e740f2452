"""The synthetic direct effect of a neuron."""

import numpy as np

from analysis.experiments.direct_effect.compute import DirectEffect
from tests.synthetic.plan import VOCABULARY, Plan


def direct_effect(plan: Plan) -> DirectEffect:
    top = (plan.target, plan.target.upper(), *plan.extra)
    logits = np.linspace(9.0, 3.0, len(top)).astype(np.float32)
    target = 9.0 if plan.holds else 0.5
    counts, edges = np.histogram(np.random.default_rng(1).normal(0, 1, VOCABULARY), 30)
    return DirectEffect(
        neuron=plan.neurons[0],
        target=plan.target,
        foil=plan.foil,
        top_tokens=top,
        top_logits=logits,
        bottom_tokens=top[::-1],
        bottom_logits=-logits,
        mean_logit=0.0,
        spread=1.0,
        target_logit=target,
        foil_logit=-4.0 if plan.holds else 1.0,
        target_rank=1 if plan.holds else 300,
        foil_rank=VOCABULARY if plan.holds else 100,
        bin_edges=edges.astype(np.float32),
        bin_counts=counts,
        variants=(plan.target, plan.target.upper()),
        variant_logits=logits[:2],
        best_other=plan.extra[0],
        best_other_logit=5.0,
        embedding_tokens=top if plan.holds else (plan.foil,) * len(top),
        embedding_products=logits,
        embedding_rank=1 if plan.holds else 20,
        rotated_target=np.zeros(20, dtype=np.float32),
        rotated_best=np.full(20, 4.0, dtype=np.float32),
        layer_best=np.full(plan.d_mlp - 1, 3.0 if plan.holds else 12.0, dtype=np.float32),
        neurons=plan.layers * plan.d_mlp,
        gated=True,
        neurons_by_target=plan.neurons[:2],
        neurons_target=np.array([9.0, 4.0], dtype=np.float32)[: len(plan.neurons)],
        neurons_by_difference=plan.neurons[:2],
        neurons_difference=np.array([13.0, 4.0], dtype=np.float32)[: len(plan.neurons)],
        rank_by_target=1 if plan.holds else 7,
        rank_by_difference=1 if plan.holds else 9,
    )
