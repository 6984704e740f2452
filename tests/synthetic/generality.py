"""The synthetic result of the experiment on other words and sentences."""

import numpy as np

from analysis.experiments.generality.compute import Generality
from analysis.numbers.separation import auc, chance, group_means, shuffled, word_interval
from tests.synthetic.plan import Plan, text

WORDS, SENTENCES, OTHERS = 6, 3, 4


def generality(plan: Plan) -> Generality:
    """Groups far apart in every sentence, or mixed; the model's answer likewise."""
    draw = np.random.default_rng(2)
    noise = draw.normal(0, 1, (SENTENCES, 2 * WORDS)).astype(np.float32)
    apart = np.repeat([4.0, -4.0] if plan.holds else [0.0, 0.0], WORDS).astype(np.float32)
    values = noise + apart
    ours = values[:, :WORDS], values[:, WORDS:]
    by_chance = shuffled(*ours, auc, seed=0)[:200]
    bounds = np.quantile(by_chance, [0.025, 0.975], axis=0).T.astype(np.float32)
    areas, spans = auc(*ours), word_interval(*ours, auc, seed=0)
    means, mean_spans = group_means(*ours), word_interval(*ours, group_means, seed=0)
    extra = plan.extra[0]
    others = OTHERS if plan.d_mlp > 1 else 0
    lead = np.full(others, 0.4 if plan.holds else -0.4, dtype=np.float32)
    return Generality(
        neuron=plan.neurons[0],
        target=plan.target,
        foil=plan.foil,
        templates=(f"{text(plan.clean[:2])} {{}} and", f"{extra} {{}}", f"under the {{}} {extra}"),
        target_words=tuple(f"{plan.extra[1]}{i}" for i in range(WORDS)),
        foil_words=tuple(f"{plan.extra[2]}{i}" for i in range(WORDS)),
        activation=values,
        logit_diff=values / 2,
        means=means,
        mean_intervals=mean_spans,
        diff_means=means / 2,
        diff_mean_intervals=mean_spans / 2,
        auc=areas,
        auc_interval=spans,
        diff_auc=areas,
        diff_auc_interval=spans,
        shuffled_interval=bounds,
        chance=chance(areas, by_chance),
        diff_chance=chance(areas, by_chance),
        matched=tuple(f"L0N{i}" for i in range(others)),
        matched_auc=np.full((SENTENCES, others), 0.6, dtype=np.float32),
        lead=lead,
        lead_interval=np.stack([lead - 0.2, lead + 0.2], -1),
        held_out_auc=np.repeat(areas[1:].mean(), 2).astype(np.float32),
        held_out_interval=np.stack([spans[1:].mean(0)] * 2),
        held_out_shuffled=bounds[1:].mean(0),
    )
