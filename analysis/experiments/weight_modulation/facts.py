"""What the model answers and writes as the neuron's weights are scaled."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.criteria import NEGLIGIBLE, UNMOVED
from analysis.experiments.weight_modulation.compute import TRIED, WeightModulation
from analysis.experiments.weight_modulation.turns import Turn, turns
from analysis.grounds import Ground
from analysis.intervals import Interval
from analysis.token_sets import members


@dataclass(frozen=True)
class Corrupted:
    """The corrupted prompt with the output weights scaled."""

    prefers_target: bool  # whether the unchanged model does
    reversed_by: tuple[float, ...]  # factors that make it prefer the other token
    lowest: float  # logit difference under any factor
    highest: float


@dataclass(frozen=True)
class Controls:
    """Neurons of the layer, the nearest in activation, scaled in the same way."""

    rise: float  # the largest of theirs, in size
    spread: float  # the largest distance between any two of one neuron's logit differences
    as_far: int  # how many rise or fall as far as the neuron does


@dataclass(frozen=True)
class Facts:
    """What the factor on the output weights does, and on the input weights."""

    turns: dict[float, Turn]  # what is likeliest next after the clean prompt, by factor
    inputs: dict[float, float]  # its logit difference by factor of the input weights
    rise: float  # of its logit difference from factor -1 to 3
    likelier: bool  # whether the target's probability goes the same way
    moves: bool  # whether that is more than a trifle
    steers: bool  # whether it is also more than any control's
    only_opposite: bool  # whether next to all that it moves is moved by factors below zero
    steady: bool  # whether every step moves it the same way
    # where the probability is largest, if the factor steers and it is at neither end
    peak: Turn | None
    others_gain: bool  # whether the logit difference is larger still at the last factor
    corrupted: Corrupted | None  # the other prompt; None where there is none
    best_input: float  # factor of the input weights at which the logit difference is largest
    like_removal: bool  # whether flipping those does about the same as taking the neuron away
    breaks_down: bool  # whether their largest factor leaves less than the unchanged model has
    controls: Controls | None  # other neurons; None where there are none
    loss: Interval  # the largest change of the loss on news, in nats a token; all factors at once
    loss_factor: float  # that brings it
    loss_counts: int  # at how many factors the interval of the change leaves out zero
    # factors under which the likeliest text begins with the target, and with something else
    target_first: tuple[float, ...]
    other_first: tuple[float, ...]
    samples: int  # texts a factor beside the likeliest


def facts(result: WeightModulation, _sign: int | None = None) -> Facts:
    """Read them off the dose-response curves and the texts."""
    of_turns = {turn.factor: turn for turn in turns(result)}
    diffs = result.logit_diff[result.weights.index("in"), :, 0].tolist()
    inputs = dict(zip(result.factors, diffs, strict=True))
    rise = of_turns[3.0].logit_diff - of_turns[-1.0].logit_diff
    controls = _controls(result, abs(rise)) if result.controls else None
    moves = abs(rise) > UNMOVED
    steers = moves and not (controls and controls.as_far)
    *_, last = of_turns.values()
    best = max(inputs, key=lambda factor: inputs[factor])
    peak = max(of_turns.values(), key=lambda turn: turn.p_target)
    inside = peak.factor not in (result.factors[0], result.factors[-1])
    every = [turn.logit_diff for turn in of_turns.values()]
    positive = [turn.logit_diff for turn in of_turns.values() if turn.factor >= 0]
    steps = np.diff(every)
    first, targets = _first_tokens(result), members(result.target)
    return Facts(
        turns=of_turns,
        inputs=inputs,
        rise=rise,
        likelier=(of_turns[3.0].p_target - of_turns[-1.0].p_target) * rise > 0,
        moves=moves,
        steers=steers,
        only_opposite=moves and float(np.ptp(positive)) < NEGLIGIBLE * float(np.ptp(every)),
        steady=bool((steps * np.sign(rise) > 0).all()),
        peak=peak if steers and inside else None,
        others_gain=last.logit_diff > peak.logit_diff,
        corrupted=_corrupted(result) if len(result.prompts) > 1 else None,
        best_input=best,
        like_removal=abs(inputs[-1.0] - of_turns[0.0].logit_diff) < NEGLIGIBLE * abs(rise),
        breaks_down=inputs[3.0] < min(inputs[best], of_turns[1.0].logit_diff),
        controls=controls,
        **_loss(result),
        target_first=tuple(f for f, text in first.items() if text in targets),
        other_first=tuple(f for f, text in first.items() if text not in targets),
        samples=max(result.written_sample, default=0),
    )


def grounds(_found: Facts, result: WeightModulation) -> Iterator[Ground]:
    """Texts of news are the sample."""
    yield Ground("loss", {"article": result.texts}, "bootstrap", TRIED)


def _controls(result: WeightModulation, own: float) -> Controls:
    curves = result.control_diff[:, result.weights.index("out"), :, 0].astype(float)
    low, high = (result.factors.index(factor) for factor in (-1.0, 3.0))
    rises = np.abs(curves[:, high] - curves[:, low])
    return Controls(float(rises.max()), float(np.ptp(curves, 1).max()), int((rises >= own).sum()))


def _corrupted(result: WeightModulation) -> Corrupted:
    curve = result.logit_diff[result.weights.index("out"), :, 1].astype(float)
    own = curve[result.factors.index(1.0)]
    flipped = np.sign(curve) != np.sign(own)
    factors = tuple(f for f, other in zip(result.factors, flipped, strict=True) if other)
    return Corrupted(bool(own > 0), factors, float(curve.min()), float(curve.max()))


def _loss(result: WeightModulation) -> dict[str, Any]:
    out = result.weights.index("out")
    changes, intervals = result.loss_change[out], result.loss_interval[out]
    worst = int(np.abs(changes).argmax())
    return {
        "loss": Interval.of((changes[worst], *intervals[worst])),
        "loss_factor": result.factors[worst],
        "loss_counts": int(((intervals[:, 0] > 0) | (intervals[:, 1] < 0)).sum()),
    }


def _first_tokens(result: WeightModulation) -> dict[float, str]:
    """By factor, the first token of the likeliest text after the clean prompt."""
    columns = (result.written_prompt, result.written_sample, result.written_factor)
    rows = zip(*columns, result.written_first, strict=True)
    return {factor: first for prompt, sample, factor, first in rows if not prompt and not sample}
