"""The synthetic row of the study's own model in a table over models."""

import numpy as np

from analysis.experiments.comparison.compute import SHOWN
from analysis.experiments.comparison.measured import Comparison
from tests.synthetic.plan import Plan, question


def padded(values: list[float], neurons: int) -> np.ndarray:
    row = np.full((1, SHOWN), np.nan, dtype=np.float32)
    row[0, :neurons] = values[:neurons]
    return row


def comparison(plan: Plan) -> Comparison:
    holds, neurons = plan.holds, len(plan.neurons)
    held_out = [0.6, 0.01, 0.01] if holds else [-0.01, 0.01, 0.01]
    best = plan.neurons[0] if holds else "L0N0"
    counts = {
        "chosen_on": 40 if holds else 4,
        "tokens": 3000,
        "followed": 50 if holds else 5,
        "active": 40,
        "active_followed": 30 if holds else 1,
        "foreseen": 20 if holds else 0,
        "foreseen_followed": 10 if holds else 0,
        "held_out_pairs": 6,
        "pairs": 7,
        "heard": 7 if holds else 4,
        "sign": 1,
        "layers": plan.layers,
        "d_model": 16,
        "d_mlp": plan.d_mlp,
        "measured": min(8, plan.layers * plan.d_mlp),
        "target_rank": 1 if holds else 300,
        "rank_by_target": 1 if holds else 7,
        "rank_by_difference": 1 if holds else 9,
    }
    return Comparison(
        **question(plan),
        texts=40,
        models=(plan.model,),
        sources=(plan.source,),
        p_target=np.array([[0.6, 0.1]], dtype=np.float32),
        logit_diff=np.array([[3.0, -2.0]], dtype=np.float32),
        pair_p_target=np.array([[0.6, 0.1] if holds else [0.05, 0.04]], dtype=np.float32),
        pair_logit_diff=np.array([[3.0, -2.0] if holds else [-4.0, -4.1]], dtype=np.float32),
        preferred=np.array([[6, 1] if holds else [0, 0]]),
        neurons=((best, *plan.neurons[1:]),),
        recovery=padded([0.6 if holds else 0.04, 0.03, 0.02], neurons),
        held_out=padded(held_out, neurons),
        held_out_low=padded([v - 0.05 for v in held_out], neurons),
        held_out_high=padded([v + 0.05 for v in held_out], neurons),
        activation=np.array([[10.0, 1.0]], dtype=np.float32),
        threshold=np.array([4.0]),
        shares=np.array([_shares(counts)]),
        **{name: np.array([value]) for name, value in counts.items()},
        missing=("gpt2", plan.extra[0]),
        reasons=("waits for a machine that reaches the hub.", plan.extra[1]),
    )


def _shares(counts: dict[str, int]) -> list[tuple[float, float, float]]:
    """Precision and recall of neuron and model, as if texts agreed on them to a tenth."""
    pairs = [(who, of) for who in ("active", "foreseen") for of in (who, "followed")]
    found = []
    for who, of in pairs:
        share = counts[f"{who}_followed"] / counts[of] if counts[of] else np.nan
        found.append((share, share - 0.05, share + 0.05))
    return found
