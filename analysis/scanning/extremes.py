"""The highest and lowest values that a corpus scan has met, of every neuron, and their places."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.scanning.tallies import Tally

MANY = 2
"""If at least one column in so many has a new extreme, all are looked at."""

BLOCK_ROWS = 64
"""On a GPU only the highest of so many values is ranked first."""

BITS = 32
"""Of a value, and of a row: no pass has more rows."""

LAST = (1 << BITS) - 1

Sign = Literal[1, -1]


@dataclass
class Extremes(Tally):
    """The highest values of every neuron, highest first, and their places, -1 if never filled.

    Equal values keep the order in which they were read.
    """

    values: Float[Tensor, "top neuron"]
    places: Int[Tensor, "top neuron"]

    @classmethod
    def empty(cls, neurons: int, top: int) -> "Extremes":
        """Nothing seen yet."""
        values = torch.full((top, neurons), -torch.inf)
        return cls(values, torch.full((top, neurons), -1))

    def part(self, neurons: slice) -> "Extremes":
        """Those of some neurons, which are changed with the whole."""
        return Extremes(self.values[:, neurons], self.places[:, neurons])

    def add(
        self,
        values: Float[Tensor, "row neuron"],
        places: Int[Tensor, "row ..."],
        sign: Sign = 1,
    ) -> None:
        """Take in values that are read later, times a sign; places are one a row, or one a value.

        Only what beats the lowest value that is kept is looked at closely: soon that is little.
        """
        here, top = self.values.device, len(self.values)
        highest = values.amax(0) if sign == 1 else -values.amin(0)
        some = (highest.to(here) > self.values[-1]).nonzero()[:, 0]
        if not len(some):
            return
        if MANY * len(some) > values.shape[1]:  # a copy of them would cost more than it saves
            some, fresh = torch.arange(values.shape[1], device=here), values.to(here)
        else:
            fresh = values.index_select(1, some.to(values.device)).to(here)
        limits, full = self.values[-1, some], bool((self.places[-1] >= 0).all())
        if full:
            rows = _rows_where(fresh > limits if sign == 1 else fresh < -limits)
        else:
            rows = _highest_rows(fresh if sign == 1 else -fresh, top)
        some_row = rows.clamp_min(0)
        where = places[some_row] if places.ndim == 1 else places[:, some].gather(0, some_row)
        beating = (sign * fresh.gather(0, some_row)).masked_fill_(rows < 0, -torch.inf)
        self._rank(some, beating, where)

    def _rank(
        self,
        some: Int[Tensor, " some"] | slice,
        fresh: Float[Tensor, "most some"],
        where: Int[Tensor, "most some"],
    ) -> None:
        """Keep the highest of what is kept of some neurons and of new values."""
        known = torch.cat([self.values[:, some], fresh])
        stacked = torch.cat([self.places[:, some], where])
        order = known.T.contiguous().sort(descending=True, stable=True).indices
        first = order.T[: len(self.values)]
        self.values[:, some] = known.gather(0, first)
        self.places[:, some] = stacked.gather(0, first)

    def merge(self, later: "Extremes") -> None:
        """Take in the extremes of a later part of the corpus, both on a processor."""
        self.add(later.values, later.places)


def _rows_where(marked: Bool[Tensor, "row neuron"]) -> Int[Tensor, "most neuron"]:
    """Rows that are marked in each column, in their order; -1 where there are no more."""
    rows, columns = marked.nonzero(as_tuple=True)
    columns, order = columns.sort(stable=True)
    counts = columns.bincount(minlength=marked.shape[1])
    before = counts.cumsum(0) - counts
    found = rows.new_full((int(counts.max()), marked.shape[1]), -1)
    number = torch.arange(len(rows), device=rows.device) - before[columns]
    found[number, columns] = rows[order]
    return found


def _highest_rows(
    values: Float[Tensor, "row neuron"], top: int
) -> Int[Tensor, "row_of_top neuron"]:
    """Rows of each column's highest values, in their order, the earlier ones of equals.

    Rows that reach the lowest of the highest are found several times faster than rows are ranked;
    where too many reach it, some of them are equal, and those columns are sorted.
    """
    columns = values.T.contiguous()
    top = min(top, len(values))
    place = columns.shape[1] - top
    lowest = torch.from_numpy(np.partition(columns.numpy(), place, axis=1)[:, place])
    reaching = columns >= lowest[:, None]
    tied = (reaching.sum(1) != top).nonzero()[:, 0]
    if len(tied):
        ranked = columns[tied].sort(descending=True, stable=True).indices[:, :top]
        reaching[tied] = torch.zeros_like(reaching[tied]).scatter_(1, ranked, True)
    return reaching.nonzero()[:, 1].view(-1, top).T.contiguous()


def add_both(
    highest: Extremes,
    lowest: Extremes,
    values: Float[Tensor, "row neuron"],
    places: Int[Tensor, " row"],
) -> None:
    """Take in values that are read later, one place a row; the lowest are kept with sign turned.

    A processor looks closely at what is a new extreme: soon that is little. A GPU ranks all values,
    for work whose size is known beforehand keeps it waiting for no one.
    """
    if not values.is_cuda:
        highest.add(values, places)
        lowest.add(values, places, -1)
        return
    fresh, rows = _ranked(values, len(highest.values))
    ends = zip((highest, lowest), fresh.chunk(2, 1), places[rows].chunk(2, 1), strict=True)
    for each, new, where in ends:
        each._rank(slice(None), new, where)


def _ranked(
    values: Float[Tensor, "row neuron"], top: int
) -> tuple[Float[Tensor, "most twice"], Int[Tensor, "most twice"]]:
    """Highest values of each column, then of each with its sign turned, and their rows.

    Highest first, then the earlier one. As many blocks of rows as values are wanted hold them all:
    those whose highest value comes first.
    """
    n_rows, n_columns = values.shape
    here = values.device
    ends = _ends_of_blocks(values)
    ranks = _ranks(ends, torch.arange(ends.shape[1], device=here))
    blocks = ranks.topk(min(top, ends.shape[1]), sorted=False).indices
    rows = (blocks[:, :, None] * BLOCK_ROWS + torch.arange(BLOCK_ROWS, device=here)).flatten(1)
    columns = torch.arange(n_columns, device=here).repeat(2)[:, None]
    found = values[rows.clamp_max(n_rows - 1), columns]
    found[n_columns:].neg_()
    ranks = _ranks(found, rows).masked_fill_(rows >= n_rows, torch.iinfo(torch.long).min)
    highest = ranks.topk(min(top, n_rows))
    return found.gather(1, highest.indices).T, rows.gather(1, highest.indices).T


def _ends_of_blocks(values: Float[Tensor, "row neuron"]) -> Float[Tensor, "twice block"]:
    """The highest value of every ``BLOCK_ROWS`` rows, then that of those with sign turned."""
    whole = len(values) // BLOCK_ROWS
    blocks = [values[: whole * BLOCK_ROWS].reshape(whole, BLOCK_ROWS, values.shape[1])]
    if whole * BLOCK_ROWS < len(values):
        blocks.append(values[None, whole * BLOCK_ROWS :])
    highest = torch.cat([each.amax(1) for each in blocks])
    lowest = torch.cat([each.amin(1) for each in blocks])
    return torch.cat([highest, -lowest], 1).T.contiguous()


def _ranks(
    values: Float[Tensor, "column row"], rows: Int[Tensor, "*#column row"]
) -> Int[Tensor, "column row"]:
    """Numbers that sort as values do, the earlier row of equals above the later."""
    bits = (values + 0.0).view(torch.int32)  # the sum makes the two zeros equal
    ordered = bits ^ ((bits >> 31) & torch.iinfo(torch.int32).max)
    return (ordered.long() << BITS) + (LAST - rows)
