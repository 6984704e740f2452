"""Whether the model needs the neuron to tell prompts of the two kinds apart."""

from dataclasses import dataclass

import numpy as np

from analysis.criteria import NEGLIGIBLE
from analysis.experiments.ablation.measured import (
    MEAN,
    UNTOUCHED,
    Ablation,
    Separation,
    in_set,
    separation,
    separation_change,
)
from analysis.numbers.estimates import Estimate
from analysis.numbers.statistics import for_few


@dataclass(frozen=True)
class BothKinds:
    """How the model's answer tells the two kinds of prompts apart; without, by the mean."""

    untouched: Separation
    without: Separation
    lowers_auc: bool  # whether the interval of the AUC's change lies below zero
    narrows: bool  # whether that of the gap's does
    stays: bool  # whether that shows a loss of no more than a small part of the gap


def both_kinds(result: Ablation) -> BothKinds | None:
    """Read it off; None where a kind has no prompts."""
    untouched, without = (separation(result, method) for method in (UNTOUCHED, MEAN))
    change = separation_change(result, MEAN)
    if untouched is None or without is None or change is None:
        return None
    small = NEGLIGIBLE * abs(untouched.gap.mean)
    low, high = _for_few(change.gap, in_set(result, True).sum(), in_set(result, False).sum())
    return BothKinds(
        untouched,
        without,
        lowers_auc=change.auc.high < 0,
        narrows=high < 0,
        stays=low > -small,
    )


def _for_few(gap: Estimate, *prompts: int) -> tuple[float, float]:
    """Its interval, as wide as the fewer prompts of a kind demand; of one there is none."""
    few = min(prompts)
    return for_few(gap.mean, np.array(gap[1:]), int(few)) if few > 1 else (-np.inf, np.inf)
