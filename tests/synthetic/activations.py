"""The synthetic activations on texts."""

import numpy as np

from analysis.experiments.activations.compute import Activations
from tests.synthetic.plan import RANDOM_LENGTH, RANDOM_TEXTS, Plan, text


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
