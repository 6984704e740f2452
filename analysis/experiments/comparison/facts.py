"""Whether other models have such a neuron too: the best neuron of each, by the same checks."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.criteria import FEW_OCCURRENCES, LEAD, MOST, NOTABLE, SAME_DEPTH
from analysis.experiments.comparison.compute import AT_THE_HUB, HUB
from analysis.experiments.comparison.measured import Comparison
from analysis.grounds import Ground
from analysis.intervals import Share
from analysis.scanning.detector import FEWEST, quieted

CHANCE = 0.5
"""How often two logit differences that have nothing to do with the prompts are in this order."""

Ends = tuple[float, float]
"""A value after the clean prompt and after the corrupted one."""


@dataclass(frozen=True)
class Neuron:
    """A neuron: its recovery on the pair that chose it, and over held-out pairs (NaN without)."""

    name: str
    recovery: float
    held_out: float


@dataclass(frozen=True)
class Detector:
    """The best neuron taken as a sign, in news, that the target comes next."""

    threshold: float  # activation from which on it counts as active
    chosen: bool  # whether texts chose that, and did not hold the target too rarely
    chosen_on: int  # how often they held it
    quieted: bool  # whether the clean prompt quiets the neuron
    tokens: int  # of the other texts, on which all else is counted
    followed: int  # those that the target follows
    active: int  # those on which the neuron is active
    precision: Share  # share of these that the target follows
    recall: Share  # share of those that it follows
    rate: float  # share of all tokens that it follows
    tells: bool  # whether even the lower end of the precision lies above that
    foreseen: Share  # tokens after which the target is the model's own first choice
    rough: bool  # whether the target is too rare for the shares to be exact


@dataclass(frozen=True)
class Answers:
    """What a model itself answers on all pairs: without the skill it need not have the neuron."""

    pairs: int
    target: Share  # clean prompts after which the target is preferred
    foil: Share  # corrupted prompts after which the foil is
    heard: Share  # pairs in which the logit difference is larger after the clean prompt
    p_target: Ends  # means over the pairs
    logit_diff: Ends
    skilled: bool  # whether the model mostly prefers the right word on both sides
    hears: bool  # whether the logit difference tells the sides apart more often than chance


@dataclass(frozen=True)
class Model:
    """One model, and the best neuron of it."""

    name: str  # of the model
    neurons: int  # in all
    measured: int  # how many were patched
    best: Neuron  # the best neuron, and the next one where there is one
    next: Neuron | None
    held_out_pairs: int  # that confirm them
    interval: Ends  # of the best neuron's recovery over these
    answers: Answers
    depth: float  # share of the blocks that have run when the best neuron has written
    stands_out: bool  # whether it leads on the pair that chose it and held-out pairs clearly agree
    detector: Detector  # it as a sign of the target


@dataclass(frozen=True)
class Facts:
    """What the models show."""

    models: tuple[Model, ...]  # in the order asked
    standing_out: int  # in how many of them one neuron stands out
    excused: int  # in how many it does not, and no neuron stands out either
    skilled: int  # in how many the model mostly prefers the right word by itself
    depths: Ends  # of the best neurons: the smallest and the largest
    same_depth: bool  # whether these are about the same
    screened: bool  # whether in any of them some neurons were not patched
    waiting: tuple[str, ...]  # models of the hub without a row
    # models without a row, in groups of one reason: reason and names
    missing: tuple[tuple[str, tuple[str, ...]], ...]
    absent: int  # how many others are without a row
    names: str  # of all models asked for, as a command line takes them


def facts(result: Comparison) -> Facts:
    """Read them off the rows."""
    models = tuple(_model(result, i) for i in range(len(result.models)))
    reasons: dict[str, tuple[str, ...]] = {}
    for name, reason in zip(result.missing, result.reasons, strict=True):
        if name not in HUB or reason != AT_THE_HUB:
            reasons[reason] = (*reasons.get(reason, ()), name)
    depths = [model.depth for model in models]
    absent = zip(result.missing, result.reasons, strict=True)
    waiting = tuple(name for name, reason in absent if name in HUB and reason == AT_THE_HUB)
    return Facts(
        models=models,
        standing_out=sum(model.stands_out for model in models),
        excused=sum(not (each.answers.skilled or each.stands_out) for each in models),
        skilled=sum(model.answers.skilled for model in models),
        depths=(min(depths), max(depths)),
        same_depth=max(depths) - min(depths) <= SAME_DEPTH,
        waiting=waiting,
        screened=any(model.measured < model.neurons for model in models),
        missing=tuple(reasons.items()),
        absent=len(result.missing) - len(waiting),
        names=shlex.join((*result.models, *result.missing)),
    )


def grounds(found: Facts, result: Comparison) -> Iterator[Ground]:
    """Pairs of prompts are the sample, on news every other text; of several models the fewest."""
    pairs = [model.held_out_pairs for model in found.models if model.held_out_pairs]
    if pairs:
        yield Ground("held_out", {"prompt_pair": min(pairs)}, "bootstrap")
    fewest = min(model.answers.pairs for model in found.models)
    yield Ground("answers", {"prompt_pair": fewest}, "wilson")
    yield Ground("detector", {"article": result.texts // 2}, "wilson_of_texts")


def _model(result: Comparison, i: int) -> Model:
    best, *others = (
        Neuron(name, float(result.recovery[i, k]), float(result.held_out[i, k]))
        for k, name in enumerate(result.neurons[i][:2])
    )
    low, high = result.held_out_low[i, 0], result.held_out_high[i, 0]
    leads = all(best.recovery >= LEAD * other.recovery for other in others)
    first = np.isfinite(best.held_out) and best.held_out >= np.nanmax(result.held_out[i])
    return Model(
        name=result.models[i],
        neurons=int(result.n_neurons[i]),
        measured=int(result.measured[i]),
        best=best,
        next=others[0] if others else None,
        held_out_pairs=int(result.held_out_pairs[i]),
        interval=(float(low), float(high)),
        answers=_answers(result, i),
        depth=float(result.depth[i, 0]),
        stands_out=bool(leads and first and low > NOTABLE),
        detector=_detector(result, i),
    )


def _answers(result: Comparison, i: int) -> Answers:
    pairs = int(result.pairs[i])
    clean, corrupted = (int(count) for count in result.preferred[i])
    target, foil, heard = (
        Share.counted(part, pairs) for part in (clean, pairs - corrupted, int(result.heard[i]))
    )
    return Answers(
        pairs=pairs,
        target=target,
        foil=foil,
        heard=heard,
        p_target=_ends(result.pair_p_target[i]),
        logit_diff=_ends(result.pair_logit_diff[i]),
        skilled=target.value > MOST and foil.value > MOST,
        hears=heard.interval[0] > CHANCE,
    )


def _detector(result: Comparison, i: int) -> Detector:
    sign = int(result.sign[i])
    followed, active = int(result.followed[i]), int(result.active[i])
    both = int(result.active_followed[i])
    precision, rate = _share(both, active, result.shares[i, 0]), followed / int(result.tokens[i])
    return Detector(
        threshold=sign * float(result.threshold[i]),
        chosen=bool(result.chosen_on[i] >= FEWEST),
        chosen_on=int(result.chosen_on[i]),
        quieted=quieted(*(sign * result.activation[i]).tolist()),
        tokens=int(result.tokens[i]),
        followed=followed,
        active=active,
        precision=precision,
        recall=_share(both, followed, result.shares[i, 1]),
        rate=rate,
        tells=precision.interval[0] > rate,
        foreseen=_share(
            int(result.foreseen_followed[i]), int(result.foreseen[i]), result.shares[i, 2]
        ),
        rough=followed < FEW_OCCURRENCES,
    )


def _share(part: int, of: int, found: np.ndarray) -> Share:
    value, low, high = found.tolist()
    return Share(part, of, value, (low, high))


def _ends(values: np.ndarray) -> Ends:
    clean, corrupted = (float(value) for value in values)
    return clean, corrupted
