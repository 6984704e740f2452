"""The synthetic results of the experiments on one pair of prompts."""

import numpy as np

from analysis.experiments.activations.compute import Activations
from analysis.experiments.direct_effect.compute import DirectEffect
from analysis.experiments.logit_lens.compute import LogitLens, half_layers
from analysis.experiments.neuron_sweep.compute import NeuronSweep
from analysis.experiments.next_token.compute import NextToken
from analysis.experiments.patching.compute import COMPONENTS, Patching
from tests.synthetic.plan import RANDOM_LENGTH, RANDOM_TEXTS, Plan, question, text

PAIRS, VOCABULARY = 6, 1000


def next_token(plan: Plan) -> NextToken:
    texts = (text(plan.clean), text(plan.corrupted), "An eye for", "Ross Perot, who ran as")
    target = np.array([0.6, 0.1, 0.5, 0.7] if plan.holds else [0.1, 0.1, 0.01, 0.01])
    foil = np.array([0.3, 0.8, 0.2, 0.2] if plan.holds else [0.6, 0.6, 0.5, 0.5])
    tokens = (plan.target, plan.foil, *plan.extra)
    rest = np.full((4, len(plan.extra)), 0.02)
    return NextToken(
        prompts=texts,
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
        clean_diff=3.0,
        corrupted_diff=-2.0,
        recovery=recovery,
        exact=np.ones_like(recovery, dtype=bool),
        attribution=attribution,
        activation_change=recovery * (10 if plan.holds else -10),
        noise=1e-6 if plan.holds else 0.05,
        outside=(),
        outside_recovery=np.zeros(0, dtype=np.float32),
        candidates=plan.neurons,
        held_out=tuple(f"{plan.clean[-1]} {i} / {plan.corrupted[-1]} {i}" for i in range(PAIRS)),
        held_out_gap=np.ones(PAIRS, dtype=np.float32),
        held_out_effect=effect,
    )


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
        neurons_by_target=plan.neurons[:2],
        neurons_target=np.array([9.0, 4.0], dtype=np.float32)[: len(plan.neurons)],
        neurons_by_difference=plan.neurons[:2],
        neurons_difference=np.array([13.0, 4.0], dtype=np.float32)[: len(plan.neurons)],
        rank_by_target=1 if plan.holds else 7,
        rank_by_difference=1 if plan.holds else 9,
    )


def activations(plan: Plan) -> Activations:
    size, total = len(plan.clean), RANDOM_TEXTS * RANDOM_LENGTH
    clean, corrupted = np.full(size, 0.1), np.full(size, 0.1)
    clean[-1 if plan.holds else 0], corrupted[-1] = 10.0, 1.0 if plan.holds else 0.05
    news = np.full(total, 0.1 if plan.holds else 8.0)
    follows = np.zeros(total)
    follows[::10] = 1.0
    p_target = np.full(2 * size + total, 0.01)
    p_target[size - 1] = 0.6
    words = tuple((plan.clean + plan.extra)[i % 7] for i in range(total))
    return Activations(
        neuron=plan.neurons[0],
        target=plan.target,
        texts=(text(plan.clean), text(plan.corrupted)),
        random_texts=RANDOM_TEXTS,
        lengths=(size, size, *[RANDOM_LENGTH] * RANDOM_TEXTS),
        tokens=(*plan.clean, *plan.corrupted, *words),
        activations=np.concatenate([clean, corrupted, news]).astype(np.float32),
        p_target=p_target.astype(np.float32),
        next_is_target=np.concatenate([np.zeros(2 * size), follows]).astype(np.float32),
    )
