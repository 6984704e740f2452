"""Orders in which neurons join a set: by the gradient, by what each does alone, and greedily."""

from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.engines.patcher import NeuronPatcher
from analysis.progress import Progress

SIZES = (1, 2, 3, 5, 10, 20, 50, 100, 300, 1000)
"""Sizes of sets at which curves are told."""

SHORTLIST = 2000
"""Neurons that are patched alone: those whose estimate is largest."""

SINGLY, CANDIDATES = 20, 48
"""The greedy order adds so many neurons one by one, each the best of so many candidates."""

BLOCKS = (30, 50, 70, 100, 170, 300, 550, 1000)
"""Then it grows in blocks up to these sizes: what each candidate adds to the set is measured, and
those that add most join it together."""

AGAIN = 1.4
"""The candidates of a block: so many times the size it grows to, the members among them."""

Order = Int[Tensor, " rank"]


def steps(most: int) -> list[int]:
    """Sizes for a smooth curve: each up to twenty, then at most a tenth more than the last."""
    found = list(range(1, min(20, most) + 1))
    while found[-1] < most:
        nearest = min(s for s in (*SIZES, most) if s > found[-1])
        found.append(min(int(found[-1] * 1.1), nearest))
    return found


def firsts(
    order: Order, sizes: list[int], patcher: NeuronPatcher
) -> Bool[Tensor, "set layer d_mlp"]:
    """The first so many neurons of an order, as sets."""
    shape = patcher.subject.n_layers, patcher.subject.d_mlp
    sets = torch.zeros(len(sizes), shape[0] * shape[1], dtype=torch.bool, device=order.device)
    for row, size in zip(sets, sizes, strict=True):
        row[order[:size]] = True
    return sets.view(-1, *shape)


def recoveries(patcher: NeuronPatcher, order: Order, sizes: list[int]) -> Float[Tensor, " size"]:
    """Recovery of the first so many neurons of an order."""
    return patcher.set_effects(firsts(order, sizes, patcher)) / patcher.gap


def by_estimate(estimate: Float[Tensor, "layer d_mlp"], count: int) -> Order:
    """Those that the gradient puts first."""
    return estimate.flatten().argsort(descending=True, stable=True)[:count]


def by_patching(patcher: NeuronPatcher, shortlist: Order, progress: Progress) -> Order:
    """The shortlist by what each of its neurons recovers alone."""
    shape = patcher.subject.n_layers, patcher.subject.d_mlp
    chosen = torch.zeros(shape[0] * shape[1], dtype=torch.bool, device=shortlist.device)
    chosen[shortlist] = True
    found = patcher.recoveries(chosen.view(shape), progress)
    return chosen.nonzero()[:, 0][found.argsort(descending=True, stable=True)]


def greedy(
    patcher: NeuronPatcher, order: Int[Tensor, " candidate"], count: int, progress: Progress
) -> Order:
    """At each step those that add most to the set as it is, measured anew.

    Args:
        patcher: the pair.
        order: candidates, the likeliest first.
        count: how many are ordered.
        progress: told the finished fraction.
    """
    members = order[:0]
    ends = [*range(min(SINGLY, count) + 1), *(size for size in BLOCKS if SINGLY < size < count)]
    for size, larger in pairwise(dict.fromkeys([*ends, count])):
        pool = order[: max(CANDIDATES, int(AGAIN * larger))]
        free = pool[~torch.isin(pool, members)]
        members = torch.cat([members, _adding_most(patcher, members, free)[: larger - size]])
        progress(larger / count)
    return members


def _adding_most(
    patcher: NeuronPatcher, members: Int[Tensor, " member"], free: Int[Tensor, " other"]
) -> Int[Tensor, " other"]:
    """The free neurons by what the set and each of them recover together."""
    joined = torch.cat([members.expand(len(free), -1), free[:, None]], 1)
    shape = patcher.subject.n_layers, patcher.subject.d_mlp
    sets = torch.zeros(len(free), shape[0] * shape[1], dtype=torch.bool, device=free.device)
    sets.scatter_(1, joined, value=True)
    found = patcher.set_effects(sets.view(-1, *shape)) / patcher.gap
    return free[found.argsort(descending=True, stable=True)]
