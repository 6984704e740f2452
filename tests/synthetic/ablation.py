"""The synthetic result of ablation."""

import numpy as np

from analysis.engines.ablations import IN_TEMPLATE
from analysis.engines.replacement import METHODS
from analysis.experiments.ablation.measured import Ablation
from tests.synthetic.plan import Plan, text

TARGETS, FOILS, DRAWS = 6, 6, 6
SPOTS = 20  # before the target, and as many before other tokens


def ablation(plan: Plan) -> Ablation:
    """The change follows the activation, of either sign where the foil is called for; or nothing
    changes, and every method says something else than the mean."""
    kinds = np.array([True] * (1 + TARGETS) + [False] * FOILS)
    activation = np.array([10, 8, 9, 10, 10, 11, 12, -3, -1, 0, 0, 1, 3.0])
    nothing = 0.001 * np.array([-1, *[1, -1, 0, 0, -1, 1] * 2])
    step = -0.3 * activation if plan.holds else nothing
    moved = np.outer(step, [1, 1, 1, 2, 1])
    if not plan.holds:
        moved[:, [0, 4]] -= 2.0
    wiggle = np.linspace(-0.1, 0.1, len(kinds))
    baseline = np.stack([np.where(kinds, 2.0, -2.0) + wiggle, kinds * 0.5, 0 * kinds], -1)
    ablated = np.stack(
        [baseline[:, [0]] + moved, np.full_like(moved, 0.1), np.full_like(moved, 0.3)], -1
    )
    names = plan.neurons[1:]
    methods = (*METHODS, IN_TEMPLATE)
    theirs = np.zeros((len(names), len(kinds), len(methods), 3)) + baseline[:, None]
    theirs[..., 0] += 0.01 if plan.holds else 4.0
    return Ablation(
        neuron=plan.neurons[0],
        target=plan.target,
        foil=plan.foil,
        positions="last",
        methods=methods,
        prompts=(text(plan.clean), *[f"{text(plan.clean)} {i}" for i in range(TARGETS + FOILS)]),
        calls_for_target=kinds,
        in_question=np.arange(len(kinds)) == 0,
        activation=activation.astype(np.float32),
        mean_activation=0.1 if plan.holds else 3.0,
        mean_first=0.5,
        baseline=baseline.astype(np.float32),
        ablated=ablated.astype(np.float32),
        resampled=np.repeat(ablated[:, [2]], DRAWS, 1).astype(np.float32),
        drawn=np.full((len(kinds), DRAWS), 0.1, dtype=np.float32),
        template_resampled=np.repeat(ablated[:, [4]], DRAWS, 1).astype(np.float32),
        template_drawn=np.tile(np.resize(activation[-FOILS:], DRAWS), (len(kinds), 1)).astype("f"),
        matched=names,
        matched_activation=np.full((len(names), len(kinds)), 9.0, dtype=np.float32),
        matched_ablated=theirs.astype(np.float32),
        matched_draws=2,
        **_corpus(plan, len(names)),
    )


def _corpus(plan: Plan, matched: int) -> dict[str, object]:
    target = np.repeat([True, False], SPOTS)
    change = np.where(target, 0.5, 0.0) if plan.holds else np.where(target, 0.0, 0.5)
    wiggle = np.tile([-0.01, 0.01], SPOTS)
    compared = np.tile([True, False], SPOTS)
    kl = np.full((matched, SPOTS), 0.02 if plan.holds else 1e-4)
    rows = np.ones((len(METHODS), 1))
    return {
        "window_tokens": 32,
        "position_document": np.arange(2 * SPOTS),
        "position_target": target,
        "position_activation": np.where(target, 8.0, 0.1).astype(np.float32),
        "position_loss": np.full(2 * SPOTS, 3.0, dtype=np.float32),
        "position_change": (rows * (change + wiggle)).astype(np.float32),
        "position_kl": (rows * np.abs(change + 0.01)).astype(np.float32),
        "position_compared": compared,
        "matched_change": np.full((matched, SPOTS), 0.001, dtype=np.float32),
        "matched_kl": kl.astype(np.float32),
    }
