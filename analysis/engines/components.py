"""Values of heads and neurons at every position of one run, and what follows when some change.

No weight and no norm is taken apart: the model's own blocks are run, with what enters their two
output projections exchanged, held or read.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.engines.tail import CHUNK_TOKENS, Tail
from analysis.progress import Progress, silent
from analysis.subject import Subject

Stage = Literal["z", "activations"]
"""What enters the output weights: of attention, all heads' ``z`` side by side, or of the MLP."""

STAGES: tuple[Stage, Stage] = ("z", "activations")

Values = dict[Stage, list[Float[Tensor, "suffix width"]]]
"""One number for everything that enters, by stage and layer."""

Put = Callable[[Float[Tensor, "row suffix width"]], Float[Tensor, "row suffix width"] | None]
"""Is shown what enters; what it returns, if anything, enters instead."""

Kept = Callable[[int, Stage, slice], Bool[Tensor, "set suffix width"]]
"""By layer and stage, what some of the sets compute again; all else is held."""


@dataclass(frozen=True, eq=False)
class Shift:
    """What is added to the values of one layer and stage at one position.

    Attributes:
        layer: whose.
        stage: which of its values.
        position: counted from the first that is computed.
        values: the change.
    """

    layer: int
    stage: Stage
    position: int
    values: Float[Tensor, " width"]


class Components(Tail):
    """One prompt's pass from ``start`` on.

    Attributes:
        entering: the residual that enters each block, and that which leaves the last.
        values: what enters the output weights, by stage and layer.
    """

    def __init__(self, subject: Subject, tokens: tuple[int, ...], start: int) -> None:
        super().__init__(subject, tokens, start)
        self.entering = torch.cat([*self.base.entering, self.base.leaving])[:, start:]
        self.values: Values = {stage: [] for stage in STAGES}
        with torch.inference_mode():
            for layer in range(subject.n_layers):
                seen: dict[Stage, Tensor] = {}
                keep = {stage: partial(seen.__setitem__, stage) for stage in STAGES}
                self._stepped(self.entering[layer][None], layer, keep)
                for stage in STAGES:
                    self.values[stage].append(seen[stage][0])

    def _stepped(self, resid: Tensor, layer: int, puts: Mapping[Stage, Put]) -> Tensor:
        """One block, with what enters its output weights from ``start`` on put in."""
        suffix = self.length - self.start

        def changed(put: Put, seen: Float[Tensor, "row pos width"]) -> Tensor | None:
            made = put(seen[:, -suffix:])
            return None if made is None else torch.cat([seen[:, :-suffix], made], 1)

        family, block = self.subject.family, self._blocks[layer]
        watches = {"z": family.heads, "activations": family.activations}
        with ExitStack() as opened:
            for stage, put in puts.items():
                opened.enter_context(watches[stage](block, partial(changed, put)))
            return self._step(resid, layer)

    def _changed(self, changes: Sequence[Shift]) -> Float[Tensor, "row suffix width"]:
        """The values of one layer and stage, each row with one of the changes."""
        first = changes[0]
        values = self.values[first.stage][first.layer].repeat(len(changes), 1, 1)
        for row, each in zip(values, changes, strict=True):
            row[each.position] += each.values
        return values

    @torch.inference_mode()
    def written(self, changes: Sequence[Shift]) -> Float[Tensor, "change d_model"]:
        """What the residual stream gets more at each change's position, nothing else answering.

        Args:
            changes: of one layer and one stage.
        """
        layer, stage = changes[0].layer, changes[0].stage
        values = torch.cat([self.values[stage][layer][None], self._changed(changes)])
        puts = {each: self._held(each, layer, len(values)) for each in STAGES}
        puts[stage] = _putting(values)
        left = self._stepped(self.entering[layer].expand(len(values), -1, -1), layer, puts)
        places = torch.tensor([each.position for each in changes])
        return (left[1:] - left[:1])[torch.arange(len(changes)), places]

    def _held(self, stage: Stage, layer: int, rows: int) -> Put:
        return _putting(self.values[stage][layer].expand(rows, -1, -1).contiguous())

    @torch.inference_mode()
    def heard(
        self, layer: int, changes: Float[Tensor, "row suffix d_model"]
    ) -> dict[Stage, Float[Tensor, "row suffix _"]]:
        """What a block's heads and neurons answer to changes of its input, against this run.

        Its heads are held meanwhile for its neurons, which read the change alone.
        """
        seen: dict[Stage, list[Tensor]] = {stage: [] for stage in STAGES}
        rows = torch.cat([torch.zeros_like(changes[:1]), changes])
        for some in torch.split(rows, self._rows):
            hold = self._held("z", layer, len(some))

            def hear(z: Tensor, hold: Put = hold) -> Tensor | None:
                seen["z"].append(z)
                return hold(z)

            puts: dict[Stage, Put] = {"z": hear, "activations": seen["activations"].append}
            self._stepped(self.entering[layer] + some, layer, puts)
        joined = {stage: torch.cat(parts) for stage, parts in seen.items()}
        return {stage: values[1:] - values[:1] for stage, values in joined.items()}

    @torch.inference_mode()
    def carried(
        self, changes: Sequence[Shift], progress: Progress = silent
    ) -> Float[Tensor, "change d_model"]:
        """Final residual at the last position for each change alone, all behind it answering."""
        order = sorted(range(len(changes)), key=lambda i: _group(changes[i]))
        grouped = groupby((changes[i] for i in order), _group)
        groups = {group: list(some) for group, some in grouped}

        def entering(layer: int) -> Float[Tensor, "row suffix d_model"]:
            left = [self._left(groups.get((layer - 1, stage), [])) for stage in sorted(STAGES)]
            return torch.cat(left)

        finals = self.finals(entering, progress)
        return finals[torch.tensor(order, dtype=torch.long).argsort()]

    def _left(self, changes: Sequence[Shift]) -> Float[Tensor, "row suffix d_model"]:
        """The residual that leaves a block in which values of one stage change."""
        rows = [self.entering[0][None][:0]]
        for begin in range(0, len(changes), self._rows):
            some = changes[begin : begin + self._rows]
            layer, stage = _group(some[0])
            resid = self.entering[layer].expand(len(some), -1, -1)
            rows.append(self._stepped(resid, layer, {stage: _putting(self._changed(some))}))
        return torch.cat(rows)

    @property
    def _rows(self) -> int:
        """How many rows go through a block at once."""
        return max(
            1,
            self.subject.arithmetic.tokens_a_pass(CHUNK_TOKENS, self.subject.d_mlp) // self._tokens,
        )

    @torch.inference_mode()
    def computing(
        self,
        resid: Float[Tensor, "suffix d_model"],
        sets: int,
        kept: Kept,
        progress: Progress = silent,
    ) -> Float[Tensor, "set d_model"]:
        """Final residual at the last position when only some components are computed.

        Args:
            resid: what enters the first block.
            sets: how many sets of components.
            kept: those of each set; all others are held at this run's values.
            progress: told the finished fraction.
        """
        finals = []
        for first in range(0, sets, self._rows):
            some = slice(first, min(first + self._rows, sets))
            rows = resid.expand(some.stop - first, -1, -1)
            for layer in range(self.subject.n_layers):
                rows = self._stepped(rows, layer, self._choosing(layer, some, kept))
            finals.append(rows[:, -1])
            progress(some.stop / sets)
        return torch.cat(finals)

    def _choosing(self, layer: int, some: slice, kept: Kept) -> dict[Stage, Put]:
        def put(stage: Stage) -> Put:
            own = self.values[stage][layer]
            return lambda seen: torch.where(kept(layer, stage, some), seen, own)

        return {stage: put(stage) for stage in STAGES}


def _group(shift: Shift) -> tuple[int, Stage]:
    return shift.layer, shift.stage


def _putting(values: Tensor) -> Put:
    return lambda _: values
