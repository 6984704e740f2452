"""A synthetic corpus scan: the neuron tells where the target comes, or it does not."""

import numpy as np

from analysis.experiments.corpus_scan.compute import LABELS, CorpusScan
from tests.synthetic.plan import Plan

BINS = 10


def corpus_scan(plan: Plan) -> CorpusScan:
    """Ten bins of activation; the upper half holds the targets, or all bins alike."""
    chosen, shape = len(plan.neurons), (plan.layers, plan.d_mlp)
    tokens = np.tile([4000, 800, 300, 100, 60, 40, 30, 20, 20, 10], (chosen, 1))
    rising = np.array([0, 0, 0, 2, 6, 12, 15, 14, 16, 9])
    hits = np.tile(rising if plan.holds else tokens[0] // 100, (chosen, 1))
    hits[1:] = tokens[1:] // 100
    total = int(tokens[0].sum())
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
        mean=np.zeros(shape, dtype=np.float32),
        deviation=np.ones(shape, dtype=np.float32),
        highest=np.full(shape, 3.0, dtype=np.float32),
        lowest=np.full(shape, -1.0, dtype=np.float32),
        top_count=int(hits[0].sum()),
        next_count=int(hits[0].sum()),
        foil_count=int(hits[0].sum()),
        bin_start=0.2 * np.arange(BINS),
        bin_tokens=tokens,
        bin_known=tokens,
        bin_top=hits,
        bin_next=hits,
        bin_foil=hits[:, ::-1] if plan.holds else hits,
        bin_p_target=hits / tokens,
        labels=LABELS,
        auc=areas,
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
    )
