"""Intervals and areas, read with the sign of the activation with which a neuron is used."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from analysis.criteria import FOLLOWS_FACTOR
from analysis.numbers.estimates import Estimate
from analysis.numbers.statistics import share_interval

Span = tuple[float, float]

SURE = 0.05
"""A neuron separates two groups when shuffled labels do so at most this often, and in several
sentences when they do so in any of them at most this often (Bonferroni)."""


def enough_to_tell(target: int, foil: int, sentences: int = 1) -> bool:
    """Whether so many words of either kind could be separated at all.

    Of all ways to label them two part them wholly, so that no AUC is rarer than that.
    """
    return 2 / math.comb(target + foil, target) <= SURE / sentences


class Interval(Estimate):
    """A number with the ends of its 95 % interval, and what the interval leaves no doubt of."""

    __slots__ = ()

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """A number and the ends of its interval, of an array or of another estimate."""
        return cls(*map(float, values))

    @property
    def span(self) -> Span:
        """The ends."""
        return self.low, self.high

    @property
    def bounded(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low)

    @property
    def positive(self) -> bool:
        """Whether all of it lies above zero."""
        return self.low > 0

    @property
    def negative(self) -> bool:
        """Whether all of it lies below zero."""
        return self.high < 0


@dataclass(frozen=True)
class Share:
    """Some of several, as a share with its 95 % interval; NaN of nothing."""

    part: int
    of: int
    value: float
    interval: Span

    @classmethod
    def counted(cls, part: int, of: int) -> Self:
        """Of independent trials."""
        return cls(part, of, part / of, share_interval(part, of))


class Auc(Interval):
    """How well something is told apart; one half is chance."""

    __slots__ = ()

    @property
    def tells(self) -> bool:
        """Whether it is clear of chance, the right way round."""
        return self.low > 0.5

    @property
    def follows(self) -> bool:
        """Whether it is clear of chance, and large."""
        return self.tells and self.mean >= FOLLOWS_FACTOR

    @property
    def reversed(self) -> bool:
        """Whether it is clear of chance, the wrong way round."""
        return self.high < 0.5


def signed_span(bounds: np.ndarray, sign: int) -> Span:
    """An interval of differences: mirrored at zero for a neuron that works by negative values."""
    low, high = sorted((sign * bounds).tolist())
    return low, high


def signed_area(areas: np.ndarray, sign: int) -> np.ndarray:
    """AUC: mirrored at one half for a neuron that works by negative values."""
    return np.asarray(areas if sign > 0 else 1 - areas)


def area_span(bounds: np.ndarray, sign: int = 1) -> Span:
    """The interval of an AUC, likewise."""
    low, high = sorted(signed_area(bounds, sign).tolist())
    return low, high


def auc(area: float | np.ndarray, bounds: np.ndarray, sign: int = 1) -> Auc:
    """An AUC with its interval, likewise."""
    return Auc(float(signed_area(np.asarray(area), sign)), *area_span(bounds, sign))
