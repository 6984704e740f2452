"""The table of models: a row for each that ran, a reason for each that did not."""

from dataclasses import dataclass

import numpy as np

from analysis.detector import share
from analysis.experiments.comparison import Comparison
from report.claims.wording import count, number, ordinal, percent, span


@dataclass(frozen=True)
class Row:
    """One model as the table shows it."""

    model: str
    source: str
    size: str
    p_target: str
    logit_diff: str
    neuron: str
    chosen: str
    held_out: str
    next_best: str
    ranks: str
    target_rank: str
    activation: str
    precision: str
    recall: str


@dataclass(frozen=True)
class Missing:
    """A model without a row, and why."""

    name: str
    reason: str


def row(result: Comparison, i: int) -> Row:
    """One model's numbers in words."""
    best, held_out = float(result.recovery[i, 0]), float(result.held_out[i, 0])
    low, high = float(result.held_out_low[i, 0]), float(result.held_out_high[i, 0])
    both = int(result.loud_followed[i])
    second = len(result.neurons[i]) > 1
    return Row(
        model=result.models[i],
        source=result.sources[i],
        size=f"{count(int(result.layers[i]))} × {count(int(result.d_mlp[i]))}"
        f" = {count(int(result.n_neurons[i]))}; {count(int(result.d_model[i]))}",
        p_target=" → ".join(percent(float(p)) for p in result.p_target[i, ::-1]),
        logit_diff=" → ".join(number(float(d)) for d in result.logit_diff[i, ::-1]),
        neuron=result.neurons[i][0],
        chosen=number(best),
        held_out=f"{number(held_out)} ({span(low, high)})" if np.isfinite(held_out) else "none",
        next_best=f"{result.neurons[i][1]}, {number(float(result.recovery[i, 1]))}"
        if second
        else "none",
        ranks=f"{ordinal(int(result.rank_by_target[i]))}, "
        f"{ordinal(int(result.rank_by_difference[i]))}",
        target_rank=ordinal(int(result.target_rank[i])),
        activation=" → ".join(number(float(a)) for a in result.activation[i, ::-1]),
        precision=_ratio(both, int(result.loud[i])),
        recall=_ratio(both, int(result.followed[i])),
    )


def _ratio(part: int, whole: int) -> str:
    value, low, high = share(part, whole)
    if not whole:
        return "undefined"
    return f"{percent(value)} ({percent(low)} to {percent(high)}; {count(part)} of {count(whole)})"
