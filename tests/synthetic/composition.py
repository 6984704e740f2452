"""The synthetic split of the planted neuron's effect."""

import numpy as np

from analysis.experiments.composition.compute import Composition
from tests.synthetic.plan import PAIRS, Plan, question

CONTROLS, DRAWS = 5, 20


def composition(plan: Plan) -> Composition:
    """If it holds: a direct write of 4 logits, a third of it undone by one later neuron.

    Otherwise a later neuron makes the effect, in other ways forwards and backwards, and the
    controls do as much. A model of one layer has nothing behind its neuron.
    """
    later = int(plan.layers > 1)
    layer, number = plan.best
    heads, neurons = np.zeros((2, later, plan.heads)), np.zeros((2, later, plan.d_mlp))
    neurons[:, :, 2:3] = -1.35 if plan.holds else 1.0
    heads[:, :, :1] = 0.25
    direct = np.array([4.0, 4.2] if plan.holds else [0.2, 0.1])
    if not plan.holds:
        heads[1] *= -1
        neurons[1] *= -1
    norm = np.full(2, 0.05)
    total = direct + heads.sum((1, 2)) + neurons.sum((1, 2)) + norm
    size = 0.01 if plan.holds else 1.0
    names = tuple(f"L{layer}N{number + 1 + i}" for i in range(CONTROLS))
    components = (f"L{layer + 1}N2", f"L{layer + 1}H0") * later
    written = np.array([neurons[0].sum(), heads[0].sum()])[: len(components)]
    spread = np.linspace(0.9, 1.1, PAIRS)
    arrays = {
        "delta": np.array([9.0, -9.0]),
        "total": total,
        "direct": direct,
        "direct_unfrozen": direct * 0.99,
        "norm": norm,
        "heads_alone": heads * (1.0 if plan.holds else 3.0),
        "heads_full": heads,
        "neurons_alone": neurons * (1.02 if plan.holds else 0.3),
        "neurons_full": neurons,
        "norms": np.array([9.0, *[6.0, 1.0, 1.0, 1.0, 1.0][:CONTROLS]]),
        "control_delta": np.full((2, CONTROLS), 2.0),
        "control_total": np.full((2, CONTROLS), size),
        "control_direct": np.full((2, CONTROLS), 0.8 * size),
        "held_out_total": np.full(PAIRS, total[0]),
        "held_out_direct": direct[0] * spread,
        "held_out_direct_unfrozen": direct[0] * spread,
        "held_out_noising_total": np.full(PAIRS, total[0 if plan.holds else 1]),
        "held_out_noising_direct": direct[0 if plan.holds else 1] * spread,
        **_pushes(written, spread, total, 0.8 if plan.holds else 0.2),
    }
    return Composition(
        neuron=plan.neurons[0],
        **question(plan),
        clean_diff=3.0,
        corrupted_diff=-2.0,
        controls=names,
        components=components,
        held_out=tuple(f"{plan.clean[-1]} {i} / {plan.corrupted[-1]} {i}" for i in range(PAIRS)),
        **{name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()},
    )


def _pushes(
    written: np.ndarray, spread: np.ndarray, total: np.ndarray, share: float
) -> dict[str, np.ndarray]:
    """Pushes that bring a share of each answer by the unembedding part, the rest by the rest."""
    shares = np.array([1.0, share, 1 - share])
    turns = np.resize([0.04, -0.04], DRAWS)
    answers = spread[:, None] * written
    both = np.ones((2, 1, 1))
    return {
        "pushed_total": both * (total[0] * spread[:, None] * shares),
        "random_total": both * (spread[:, None] * turns),
        "pushed_components": both[..., None] * (answers[:, None] * shares[:, None]),
        "random_components": both[..., None] * (answers[:, None] * turns[:, None]),
    }
