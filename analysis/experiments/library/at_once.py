"""Shares on news whose intervals hold at once, as those over pairs of prompts do."""

from math import isfinite
from statistics import NormalDist

from analysis.numbers.estimates import Estimate
from analysis.numbers.statistics import share_interval

TAIL = 0.025


def at_once(found: Estimate, comparisons: int) -> Estimate:
    """A share with Wilson's interval, so wide that of so many all hold at once (Bonferroni).

    Each end x of Wilson's interval of a share p solves (x - p)^2 = z^2 / n * x * (1 - x): the
    farther one gives z^2 / n back, and n observations at a larger z are fewer at the usual one.
    """
    share, *ends = found
    if not all(map(isfinite, found)):
        return found
    end = max(ends, key=lambda each: abs(each - share))
    usual, wider = (NormalDist().inv_cdf(1 - TAIL / many) for many in (1, comparisons))
    size = usual**2 * end * (1 - end) / (end - share) ** 2
    fewer = size * (usual / wider) ** 2
    return Estimate(share, *share_interval(share * fewer, fewer))
