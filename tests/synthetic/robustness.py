"""The synthetic result of weights drawn anew and prompts given in other formats."""

import numpy as np

from analysis.experiments.robustness.compute import Robustness, of_words
from tests.synthetic.plan import Plan, question, text

DRAWS, WORDS = 20, 6


def robustness(plan: Plan) -> Robustness:
    """If it holds: first and with one answer in every redraw, and in every format.

    Otherwise another neuron is first in most redraws, the answer turns, and the chat template
    leaves nothing.
    """
    answers = np.tile(np.array([2.0, -3.0, 0.5, -0.5]), (DRAWS, 1))
    answers[:, 2] += np.linspace(-0.5, 0.5, DRAWS)
    rank, best = np.ones(DRAWS, dtype=int), [plan.neurons[0]] * DRAWS
    formats = np.tile(np.array([2.0, -3.0, 0.5, -0.5]), (3, 1))
    apart = np.full((2, 3), 4.0)
    if not plan.holds:
        answers[::2, 0] = -0.25
        rank[3:], best[3:] = 2, ["L2N1"] * (DRAWS - 3)
        apart[:, 2] = -3.0
    noise = np.random.default_rng(1).normal(0, 1, (2, 3, 2 * WORDS))
    ours, others = noise[..., :WORDS] + apart[..., None], noise[..., WORDS:]
    return Robustness(
        neuron=plan.neurons[0],
        **question(plan),
        screened=64,
        quantised=("Q4_1", "Q8_0"),
        redrawn=1.0,
        rounding=0.08,
        drawn_answers=answers.astype(np.float32),
        drawn_rank=rank,
        drawn_best=tuple(best),
        formats=("as it is", "with BOS", "in the chat template"),
        missing=(),
        given=tuple(f"{each}{text(plan.clean)}" for each in ("", *plan.extra[:2])),
        format_answers=formats.astype(np.float32),
        format_rank=np.array([1, 1, 1 if plan.holds else 5]),
        words=tuple(f"{plan.extra[1]} {i}" for i in range(2 * WORDS)),
        target_words=WORDS,
        values=np.concatenate([ours, others], -1).astype(np.float32),
        **of_words(ours, others),
    )
