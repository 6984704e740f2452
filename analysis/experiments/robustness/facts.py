"""Whether the finding holds however the weights were rounded, and however the text is given."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from analysis.criteria import MOST
from analysis.experiments.robustness.compute import Robustness, lost, recovered
from analysis.grounds import Ground, Unit
from analysis.intervals import SURE, Auc, auc, enough_to_tell
from analysis.numbers.estimates import Estimate

CLEAN, CORRUPTED, DENOISED, NOISED = range(4)  # the answers


@dataclass(frozen=True)
class Count:
    """Whether something is so as the model is, and in how many redraws."""

    now: bool
    draws: int
    steady: bool  # whether all redraws are as the model is


@dataclass(frozen=True)
class Precision:
    """The neuron with the weights drawn anew; counts are of redraws."""

    left: float  # share of the quantised weights that cannot be drawn anew
    draws: int
    recovery: Estimate  # by denoising: as the model is, and the least and most of all redraws
    lost: Estimate  # by noising
    now_first: bool  # whether the neuron is first as the model is
    first: int  # in so many redraws it is
    others: tuple[str, ...]  # neurons that are first in the others
    always: bool  # whether it is first in all, or in most
    mostly: bool
    prefers: Count  # whether the target is preferred after the clean prompt
    flips: Count  # whether the neuron's corrupted activation turns that
    outside: float  # chance that another redraw lies outside of a range


@dataclass(frozen=True)
class Format:
    """The neuron and the answer in one prompt format; words are those that call for the target."""

    name: str
    recovery: float
    rank: int
    neuron: Auc  # of its activation over words, read with its sign
    model: float  # AUC of the answer
    preferred: int  # words after which the target is preferred
    holds: bool  # whether the neuron is first, and tells the words apart if there are enough


@dataclass(frozen=True)
class Facts:
    """Precision and prompt format."""

    precision: Precision | None  # None where no weight was quantised
    holds: bool  # whether rounding does not make it; true where there is none
    enough: bool  # whether there are words enough to be told apart
    formats: tuple[Format, ...]  # first that of all other experiments
    formats_hold: bool  # whether the finding is there in all
    failing: tuple[str, ...]  # the formats in which it is not
    nowhere: bool  # whether those are all
    weaker: tuple[str, ...]  # those in which the neuron tells words apart less well, beyond doubt


def facts(result: Robustness, sign: int | None = None) -> Facts:
    """Read them off, with the sign with which the neuron is used: by default ``sign_of``."""
    precision = _precision(result) if result.quantised else None
    sign = sign or sign_of(result)
    formats = tuple(_format(result, i, sign) for i in range(len(result.formats)))
    failing = tuple(each.name for each in formats if not each.holds)
    return Facts(
        precision=precision,
        holds=precision is None or precision.always,
        enough=_enough(result),
        formats=formats,
        formats_hold=not failing,
        failing=failing,
        nowhere=len(failing) == len(formats),
        weaker=tuple(
            each.name
            for each in formats[1:]
            if _enough(result) and each.neuron.high < formats[0].neuron.low
        ),
    )


def grounds(found: Facts, result: Robustness) -> Iterator[Ground]:
    """Weights are drawn anew; words are the sample, within their kind."""
    if found.precision and found.precision.draws:
        yield Ground("precision", {"redraw": found.precision.draws}, "extremes")
    if result.words:
        words: dict[Unit, int] = {"word": len(result.words)}
        yield Ground("formats", words, "bootstrap")
        if found.enough:
            yield Ground("told_apart", words, "shuffles", len(found.formats))


def sign_of(result: Robustness) -> int:
    """Which way words that call for the target move the activation, the text as it is."""
    after, size = result.values[0, :1].ravel(), result.target_words
    if not 0 < size < len(after):
        return 1
    return -1 if after[:size].mean() < after[size:].mean() else 1


def _precision(result: Robustness) -> Precision:
    drawn, now = result.drawn_answers, result.format_answers[0]
    draws, first = len(drawn), int((result.drawn_rank == 1).sum())
    others = [name for name in result.drawn_best if name not in ("", result.neuron)]
    return Precision(
        left=1 - result.redrawn,
        draws=draws,
        recovery=_range(recovered(now), recovered(drawn)),
        lost=_range(lost(now), lost(drawn)),
        now_first=int(result.format_rank[0]) == 1,
        first=first,
        others=tuple(dict.fromkeys(others)),
        always=draws > 0 and first == draws,
        mostly=first > MOST * draws,
        prefers=_count(bool(now[CLEAN] > 0), drawn[:, CLEAN] > 0),
        flips=_count(bool(_flips(now)), _flips(drawn)),
        outside=2 / (draws + 1),
    )


def _range(now: np.ndarray, drawn: Float[np.ndarray, " draw"]) -> Estimate:
    """NaN redraws, in which the prompts are not told apart, have no value."""
    values = drawn[np.isfinite(drawn)]
    low, high = (values.min(), values.max()) if len(values) else (np.nan, np.nan)
    return Estimate(float(now), float(low), float(high))


def _count(now: bool, drawn: Bool[np.ndarray, " draw"]) -> Count:
    return Count(now, int(drawn.sum()), bool((drawn == now).all()))


def _flips(answers: Float[np.ndarray, "*row 4"]) -> np.ndarray:
    return np.asarray((answers[..., CLEAN] > 0) & (answers[..., NOISED] <= 0))


def _format(result: Robustness, i: int, sign: int) -> Format:
    answers, rank = result.format_answers[i], int(result.format_rank[i])
    neuron = auc(result.area[0, i], result.area_interval[0, i], sign)
    tells = bool(neuron.mean > 0.5 and result.chance[0, i] <= SURE)
    return Format(
        name=result.formats[i],
        recovery=float(recovered(answers)),
        rank=rank,
        neuron=neuron,
        model=float(result.area[1, i]),
        preferred=int(result.preferred[i, 0]),
        holds=rank == 1 and (not _enough(result) or tells),
    )


def _enough(result: Robustness) -> bool:
    size = result.target_words
    return enough_to_tell(size, len(result.words) - size)
