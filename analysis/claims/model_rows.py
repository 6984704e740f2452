"""The table of models: what is told of each that ran, and a reason for each that did not."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from analysis.claims.wording import count, number, ordinal, percent, say, span, token
from analysis.experiments.comparison import Comparison
from analysis.scanning.detector import share


@dataclass(frozen=True)
class Line:
    """One quantity, and its value for each model in turn."""

    quantity: Markup
    values: tuple[str, ...]


@dataclass(frozen=True)
class Missing:
    """Models without a column that share a reason."""

    names: str
    reason: str


def lines(result: Comparison) -> tuple[Line, ...]:
    """All quantities of the comparison, in words; arrows lead from corrupted to clean."""
    target, foil = token(result.target), token(result.foil)
    told: tuple[tuple[Markup, Callable[[Comparison, int], str]], ...] = (
        (say("Source"), lambda r, i: r.sources[i]),
        (say("Layers, width"), lambda r, i: f"{count(int(r.layers[i]))}, {int(r.d_model[i]):,}"),
        (say("Neurons per layer, in all"), _neurons),
        (say("P({}), corrupted → clean prompt", target), _probabilities),
        (say("Logit difference {} − {}", target, foil), lambda r, i: _arrow(r.logit_diff[i])),
        (say("Best neuron"), lambda r, i: r.neurons[i][0]),
        (
            say("Its recovery on the pair that chose it"),
            lambda r, i: number(float(r.recovery[i, 0])),
        ),
        (say("On held-out pairs"), _held_out),
        (say("Next best, on the pair that chose them"), _next_best),
        (say("Its activation"), lambda r, i: _arrow(r.activation[i])),
        (say("Rank of {} among the tokens it writes", target), _rank("target_rank")),
        (say("Its rank by direct effect on {}", target), _rank("rank_by_target")),
        (say("The same, on {} minus {}", target, foil), _rank("rank_by_difference")),
        (say("Precision as a sign of {} in news", target), _ratio("loud")),
        (say("Recall"), _ratio("followed")),
    )
    models = range(len(result.models))
    return tuple(Line(name, tuple(tell(result, i) for i in models)) for name, tell in told)


def missing(result: Comparison) -> tuple[Missing, ...]:
    """The models without a column, by reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in zip(result.missing, result.reasons, strict=True):
        by_reason.setdefault(reason, []).append(name)
    return tuple(Missing(", ".join(names), reason) for reason, names in by_reason.items())


def _arrow(ends: np.ndarray) -> str:
    clean, corrupted = (number(float(value)) for value in ends)
    return f"{corrupted} → {clean}"


def _neurons(result: Comparison, i: int) -> str:
    return f"{count(int(result.d_mlp[i]))}, {count(int(result.n_neurons[i]))}"


def _probabilities(result: Comparison, i: int) -> str:
    clean, corrupted = (percent(float(p)) for p in result.p_target[i])
    return f"{corrupted} → {clean}"


def _held_out(result: Comparison, i: int) -> str:
    value = float(result.held_out[i, 0])
    if not np.isfinite(value):
        return "none"
    ends = float(result.held_out_low[i, 0]), float(result.held_out_high[i, 0])
    return f"{number(value)} ({span(*ends)})"


def _next_best(result: Comparison, i: int) -> str:
    if len(result.neurons[i]) < 2:
        return "none"
    return f"{result.neurons[i][1]}, {number(float(result.recovery[i, 1]))}"


def _rank(name: str) -> Callable[[Comparison, int], str]:
    return lambda result, i: ordinal(int(getattr(result, name)[i]))


def _ratio(whole: str) -> Callable[[Comparison, int], str]:
    """Share of rightly loud tokens among the loud, or among those that the target follows."""

    def told(result: Comparison, i: int) -> str:
        part, of = int(result.loud_followed[i]), int(getattr(result, whole)[i])
        value, low, high = share(part, of)
        if not of:
            return "undefined"
        ends = f"{percent(low)} to {percent(high)}"
        return f"{percent(value)} ({ends}; {count(part)} of {count(of)})"

    return told
