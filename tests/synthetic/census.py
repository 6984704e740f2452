"""The synthetic census."""

import numpy as np

from analysis.experiments.census.compute import Census
from analysis.weights.congruence import MEASURES
from analysis.weights.cross import OUTCOMES
from analysis.weights.orders import ORDERS
from tests.synthetic.plan import Plan

EDGES = np.linspace(-1, 1, 21)


def census(plan: Plan) -> Census:
    names = plan.neurons
    first = names if plan.holds else names[::-1]
    size = len(names)
    scores = np.linspace(4.0, 1.0, size)
    gaps = np.full((3, 2, 2), 1.5 if plan.holds else -0.5)
    rank = 1 if plan.holds or size == 1 else size
    words = (plan.target, *plan.extra)[:size]
    return Census(
        target=plan.target,
        foil=plan.foil,
        neuron=names[0],
        directions=2 if plan.holds else 1,
        neurons=plan.layers * plan.d_mlp,
        vocabulary=1000,
        words=800,
        measures=MEASURES,
        orders=ORDERS,
        order_units=(first,) * len(ORDERS),
        order_values=np.tile(np.linspace(9.0, 3.0, size), (len(ORDERS), 1)),
        order_rank=np.full(len(ORDERS), rank),
        order_value=np.full(len(ORDERS), 9.0 if plan.holds else 3.0),
        mutual=np.tile([size, 2 * size], (3, 1)),
        pair_measure=np.repeat(np.arange(3), size),
        pair_units=names * 3,
        pair_tokens=words * 3,
        pair_token_gap=np.tile(scores, 3),
        pair_neuron_gap=np.tile(scores, 3),
        pair_single_score=np.tile(scores, 3) / 2,
        own_gaps=gaps,
        own_rank=np.full(3, 1 if plan.holds else 0),
        hub_measure=np.array([0, 1, 2, 3]),
        hub_units=(names[-1],) * 4,
        hub_counts=np.array([800, 90, 10, 90] if plan.holds else [20, 20, 20, 2]),
        hub_tokens=np.array([1000, 1000, 1000, 100]),
        leaders=np.array([200, 400, 600]),
        **_agreement(plan, size),
    )


def _agreement(plan: Plan, pairs: int) -> dict[str, object]:
    shape = (len(MEASURES), len(OUTCOMES))
    centre = 0.3 if plan.holds else 0.0
    own = np.histogram(np.linspace(centre - 0.2, centre + 0.2, pairs), EDGES)[0]
    other = np.histogram(np.zeros(max(1, pairs * (pairs - 1))), EDGES)[0]
    gain = np.array([0.3, 0.2, 0.4] if plan.holds else [0.0, -0.05, 0.05])
    return {
        "windows": 5,
        "agreement_tokens": 200,
        "outcomes": OUTCOMES,
        "pairs_read": np.full(shape, pairs),
        "edges": EDGES,
        "own_counts": np.tile(own, (*shape, 1)),
        "other_counts": np.tile(other, (*shape, 2, 1)),
        "correlation": np.tile([centre, 0.0, 0.0], (*shape, 1)),
        "advantage": np.tile(gain, (*shape, 2, 1)),
        "size": np.tile([centre, 0.01, 0.01], (*shape, 1)),
        "size_advantage": np.tile(gain, (*shape, 2, 1)),
        "first": np.tile([0.5 if plan.holds else 0.01, 0.01], (*shape, 1)),
        "score_correlation": np.tile(gain, (*shape, 1)),
        "own_correlation": np.full(len(OUTCOMES), 0.4 if plan.holds else -0.1),
    }
