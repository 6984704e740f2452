"""A synthetic corpus scan: the neuron tells where the target comes, or it does not."""

import numpy as np

from analysis.experiments.corpus_scan.compute import CorpusScan
from analysis.experiments.corpus_scan.followed import LABELS
from tests.synthetic.plan import Plan

TOKENS = np.array([100, 900, 1500, 2500, 2500, 1500, 900, 100])


def corpus_scan(plan: Plan) -> CorpusScan:
    """Bands of activation: the highest holds most targets, the lowest most foils, or all alike."""
    chosen = len(plan.neurons)
    rising = np.array([0, 1, 2, 4, 6, 12, 15, 34])
    hits = np.stack([rising, rising[::-1]] if plan.holds else [TOKENS // 100] * 2)
    total, (targets, foils) = int(TOKENS.sum()), hits.sum(1).tolist()
    share = hits / TOKENS
    excess = ((hits.sum(1, keepdims=True) - hits) / (total - TOKENS) - share)[:, [0, -1]]
    gain = -0.4 if plan.holds else 0.28
    areas = np.full((chosen, 3, 3), (0.55, 0.45, 0.65) if plan.holds else (0.8, 0.7, 0.9))
    areas[0] = (0.97, 0.93, 0.99) if plan.holds else (0.52, 0.4, 0.6)
    shares = np.full((chosen, 3, 3), (0.02, 0.01, 0.03))
    shares[0] = (0.6, 0.5, 0.7) if plan.holds else (0.02, 0.0, 0.05)
    words = (*plan.clean, *plan.extra)
    kinds = ("highest",) * 3 + ("0.9", "0.5") + ("lowest",) * 2
    return CorpusScan(
        neurons=plan.neurons,
        target=plan.target,
        foil=plan.foil,
        documents=5,
        tokens=total,
        known=total,
        window=256,
        top_count=targets,
        next_count=targets,
        foil_count=foils,
        band_edges=np.linspace(-1.0, 8.0, len(TOKENS) + 1),
        band_tokens=TOKENS,
        band_hits=hits,
        band_documents=np.minimum(hits, 5),
        band_share=np.stack([share, share * 0.6, np.minimum(1, share * 1.5)], -1),
        end_excess=-excess[..., None] + np.array([0.0, -0.05, 0.05]),
        labels=LABELS,
        label_documents=np.full(3, 5),
        auc=areas,
        model_auc=np.array([(np.nan,) * 3, (0.98, 0.97, 0.99), (0.9, 0.85, 0.95)]),
        rival_gain=np.tile([gain, gain - 0.1, gain + 0.1], (chosen - 1, 1)),
        direction=np.ones((chosen, 3), dtype=np.int64),
        threshold=np.full((chosen, 3), 1.2),
        counts=np.tile([50, 40, 30], (chosen, 3, 1)),
        precision=shares,
        recall=shares,
        kinds=kinds,
        values=np.linspace(8.0, -1.0, len(kinds)),
        before=tuple("".join(words) for _ in kinds),
        token=tuple(words[i % len(words)] for i in range(len(kinds))),
        after=tuple(plan.foil if plan.holds else plan.extra[0] for _ in kinds),
        articles=tuple(range(len(kinds))),
        **quadrants(plan, total),
    )


def quadrants(plan: Plan, total: int) -> dict:
    """Up turns between the ends, or an end has tokens of two quadrants."""
    tokens = np.array([0.5, 0.2, 0.2, 0.1]) * total
    hits = np.array([[60, 10, 10, 0], [0, 60, 10, 10]] if plan.holds else [[20] * 4] * 2)
    share = hits / tokens
    words = (*plan.clean, *plan.extra)
    return {
        "quadrant_tokens": tokens.astype(int),
        "quadrant_mean": np.array([1.5, -0.8, -0.1, 0.1]),
        "quadrant_ends": np.array([[0, 100, 0, 0], [100 if plan.holds else 60, 0, 0, 40]]),
        "quadrant_hits": hits,
        "quadrant_share": np.stack([share, share * 0.6, np.minimum(1, share * 1.5)], -1),
        "quadrant_of": np.arange(4),
        "quadrant_factors": np.array(
            [(3.0, 2.0, 5.7), (2.0, -1.5, -2.6), (-1.0, 2.0, -0.5), (-1.0, -2.0, 0.5)]
        ),
        "quadrant_before": tuple("".join(words) for _ in range(4)),
        "quadrant_token": tuple(words[i % len(words)] for i in range(4)),
        "quadrant_after": (plan.target, plan.foil, plan.target, plan.foil),
    }
