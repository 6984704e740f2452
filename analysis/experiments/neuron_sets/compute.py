"""Experiment 22: how many neurons does it take, patched together?"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from analysis.engines.attribution import attribute_neurons
from analysis.engines.continuation import written
from analysis.engines.controls import matched_orders
from analysis.engines.joint_continuation import continuations_with
from analysis.engines.patcher import NeuronPatcher
from analysis.errors import UserError
from analysis.experiments.neuron_sets import rankings
from analysis.experiments.neuron_sets.measured import CONTROLS, MEASURES, ORDERS, SHARES, NeuronSets
from analysis.experiments.neuron_sets.rankings import (
    SHORTLIST,
    SINGLY,
    SIZES,
    Order,
    firsts,
    recoveries,
)
from analysis.inputs import Inputs
from analysis.pair_result import pair_fields, pair_summary
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair
from analysis.subject import Subject

DRAWS = 10
"""Random sets, and matched ones, of every size."""

LENGTH = 8
"""Tokens that are written on with a set in place."""


def run(subject: Subject, inputs: Inputs, progress: Progress) -> NeuronSets:
    """The question's pair ranks the neurons; its held-out pairs confirm the sets."""
    question = inputs.question
    held_out = question.held_out_pairs(subject, inputs["held_out"])
    options = (inputs["size"], inputs["seed"])
    return neuron_sets(subject, question.pair(subject), held_out, *options, progress)


@dataclass(frozen=True)
class _Both:
    """One pair, patched both ways."""

    restoring: NeuronPatcher
    breaking: NeuronPatcher

    def shares(
        self, orders: Sequence[Order], sizes: list[int]
    ) -> Float[np.ndarray, "2 order size"]:
        """Recovery and loss of the first so many neurons of each order."""
        patchers = (self.restoring, self.breaking)
        found = [[recoveries(patcher, each, sizes) for each in orders] for patcher in patchers]
        return torch.stack([torch.stack(each) for each in found]).float().cpu().numpy()

    def continuations(self, order: Order, sizes: list[int]) -> tuple[str, ...]:
        """What is written on after the corrupted prompt, with the first so many put into it."""
        subject, clean = self.restoring.subject, self.breaking.activations[:, -1]
        tokens, sets = self.restoring.pair.corrupted.tokens, firsts(order, sizes, self.restoring)
        rows = continuations_with(subject, tokens, clean, sets, LENGTH).tolist()
        return tuple(written(subject, row) for row in rows)


def _both(subject: Subject, pair: PromptPair) -> _Both:
    patcher = NeuronPatcher(subject, pair)
    return _Both(patcher, patcher.swapped())


def neuron_sets(
    subject: Subject,
    pair: PromptPair,
    held_out: Sequence[PromptPair] = (),
    size: int = 2,
    seed: int = 0,
    progress: Progress = silent,
) -> NeuronSets:
    """Rank neurons in three ways, and patch the first so many of each together.

    Args:
        subject: the model.
        pair: ranks the neurons.
        held_out: pairs on which the same sets are patched.
        size: is told of besides.
        seed: of random and matched sets.
        progress: told the finished fraction.
    """
    both = _both(subject, pair)
    total = subject.n_layers * subject.d_mlp
    most = min(SIZES[-1], total)
    orders = _orders(both.restoring, most, part_of(progress, 0, 0.5))
    sizes = rankings.steps(most)
    few = [each for each in SIZES if each <= most]
    shares = both.shares(orders, sizes)
    everyone = torch.arange(total, device=subject.device)
    smallest = _smallest(sizes, shares[0])
    confirmed = _confirm(subject, held_out, orders, few, smallest, part_of(progress, 0.6, 1))
    progress(1.0)
    return NeuronSets(
        **pair_fields(pair, both.restoring.clean_diff, both.restoring.corrupted_diff),
        shape=(subject.n_layers, subject.d_mlp),
        shortlist=min(SHORTLIST, total),
        singly=min(SINGLY, most),
        order=torch.stack(list(orders)).cpu().numpy().astype(np.int32),
        sizes=np.array(sizes),
        shares=shares,
        everything=both.shares([everyone], [total])[:, 0, 0],
        control_sizes=np.array(few),
        controls=_controls(both, orders[-1], few, seed),
        noise=float(both.restoring.null_recoveries().abs().max()),
        size=min(size, most),
        size_shares=both.shares(orders, [min(size, most)])[..., 0],
        continuations=both.continuations(orders[-1], sizes),
        smallest=smallest,
        **confirmed,
    )


def _orders(patcher: NeuronPatcher, most: int, progress: Progress) -> tuple[Order, ...]:
    """``ORDERS``."""
    gradient = attribute_neurons(patcher.subject, patcher.pair, patcher.delta, patcher.start)
    shortlist = rankings.by_estimate(gradient / patcher.gap, SHORTLIST)
    alone = rankings.by_patching(patcher, shortlist, part_of(progress, 0, 0.3))
    greedy = rankings.greedy(patcher, alone, most, part_of(progress, 0.3, 1))
    return alone[:most], shortlist[:most], greedy


def _smallest(
    sizes: list[int], recovery: Float[np.ndarray, "order size"]
) -> Int[np.ndarray, "order share"]:
    """The smallest size at which each order recovers each share; 0 where none does."""
    reached = recovery[:, None] >= np.array(SHARES)[:, None]
    return np.where(reached.any(-1), np.array(sizes)[reached.argmax(-1)], 0)


def _controls(
    both: _Both, order: Order, sizes: list[int], seed: int
) -> Float[np.ndarray, "control measure draw size"]:
    """Shares of random sets, and of sets with as many neurons of each layer, near in activation."""
    patcher = both.restoring
    total, generator = patcher.delta[:, 0].numel(), torch.Generator().manual_seed(seed)
    random = [torch.randperm(total, generator=generator)[: len(order)] for _ in range(DRAWS)]
    other = patcher.activations + patcher.delta
    strength = ((patcher.activations**2 + other**2)[:, -1] / 2).sqrt()
    matched = matched_orders(strength, order, DRAWS, seed)
    kinds = ([each.to(order) for each in random], list(matched))
    return np.stack([both.shares(each, sizes) for each in kinds])


def _confirm(
    subject: Subject,
    held_out: Sequence[PromptPair],
    orders: Sequence[Order],
    sizes: list[int],
    smallest: Int[np.ndarray, "order share"],
    progress: Progress,
) -> dict[str, Any]:
    """The same sets in pairs that took no part in ranking them.

    Pairs whose two prompts the model does not tell apart are left out.
    """
    names: list[str] = []
    gaps: list[float] = []
    found: list[tuple[np.ndarray, ...]] = []
    total = subject.n_layers * subject.d_mlp
    everyone = torch.arange(total, device=subject.device)
    for done, pair in enumerate(held_out, 1):
        with suppress(UserError):
            both = _both(subject, pair)
            gap = both.restoring.gap
            least = [
                recoveries(both.restoring, order, each.tolist()).cpu().numpy()
                for order, each in zip(orders, smallest, strict=True)
            ]
            curves = both.shares(orders, sizes), both.shares([everyone], [total])[:, 0, 0]
            found.append(tuple(each * gap for each in (*curves, np.stack(least))))
            names.append(f"{pair.clean.text} / {pair.corrupted.text}")
            gaps.append(gap)
        progress(done / len(held_out))
    shapes = (2, len(orders), len(sizes)), (2,), smallest.shape
    kinds = ("held_out_effect", "held_out_everything", "held_out_smallest")
    return {
        "held_out": tuple(names),
        "held_out_gap": np.array(gaps, dtype=np.float32),
        **{
            name: np.array([each[i] for each in found], np.float32).reshape(-1, *shapes[i])
            for i, name in enumerate(kinds)
        },
    }


def summary(result: NeuronSets) -> dict[str, Any]:
    """The result in plain values: orders, curves with their controls, smallest sets, held out."""
    return {
        **pair_summary(result),
        "n_neurons": result.neurons,
        "shortlist": result.shortlist,
        "noise": result.noise,
        "order": {name: result.names(name) for name in ORDERS},
        "curves": {**_curves(result), **_control_curves(result)},
        "area": {
            **dict(zip(ORDERS, result.area[0].tolist(), strict=True)),
            **dict(zip(CONTROLS, result.control_area[:, 0].tolist(), strict=True)),
        },
        "at_size": {
            "k": result.size,
            **{name: _named(result.size_shares[:, i]) for i, name in enumerate(ORDERS)},
        },
        "continuations": [
            {"k": int(k), "text": text}
            for k, text in zip(result.sizes, result.continuations, strict=True)
        ],
        "smallest": {
            str(share): {name: int(result.smallest[i, j]) or None for i, name in enumerate(ORDERS)}
            for j, share in enumerate(SHARES)
        },
        "held_out": _held_out(result) if result.held_out else None,
    }


def _named(shares: Float[np.ndarray, "2"]) -> dict[str, float]:
    return dict(zip(MEASURES, shares.tolist(), strict=True))


def _curves(result: NeuronSets) -> dict[str, list[dict[str, Any]]]:
    last = {"k": result.neurons, **_named(result.everything)}
    return {
        name: [
            *({"k": int(k), **_named(s)} for k, s in zip(result.sizes, shares.T, strict=True)),
            *([last] if result.neurons > result.sizes[-1] else []),
        ]
        for name, shares in zip(ORDERS, result.shares.swapaxes(0, 1), strict=True)
    }


def _control_curves(result: NeuronSets) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, drawn in zip(CONTROLS, result.controls, strict=True):
        rows[name] = []
        for i, k in enumerate(result.control_sizes):
            values = drawn[:, :, i]
            row: dict[str, Any] = {"k": int(k), **_named(values.mean(1))}
            for measure, each in zip(MEASURES, values, strict=True):
                row[f"{measure}_range"] = [float(each.min()), float(each.max())]
            rows[name].append(row)
    return rows


def _held_out(result: NeuronSets) -> dict[str, Any]:
    """What the sets do on the other pairs, with intervals."""
    curves = {name: held_out_rows(result, i) for i, name in enumerate(ORDERS)}
    smallest: dict[str, dict[str, Any]] = {}
    for j, share in enumerate(SHARES):
        smallest[str(share)] = {}
        for i, name in enumerate(ORDERS):
            mean, *interval = result.over_pairs(result.held_out_smallest[:, i, j])
            found = {"k": int(result.smallest[i, j]), "recovery": mean, "interval": interval}
            smallest[str(share)][name] = found if result.smallest[i, j] else None
    estimates = [result.over_pairs(result.held_out_everything[:, i]) for i in range(2)]
    return {
        "pairs": len(result.held_out),
        "curves": curves,
        "smallest": smallest,
        "all": {
            **{measure: mean for measure, (mean, *_) in zip(MEASURES, estimates, strict=True)},
            **{
                f"{measure}_interval": [*span]
                for measure, (_, *span) in zip(MEASURES, estimates, strict=True)
            },
        },
    }


def held_out_rows(result: NeuronSets, order: int) -> list[dict[str, Any]]:
    """Held-out shares of one order, size by size."""
    rows = []
    for k, shares in zip(
        result.control_sizes, result.held_out_shares[:, order].swapaxes(0, 1), strict=True
    ):
        row: dict[str, Any] = {"k": int(k)}
        for measure, (mean, *span) in zip(MEASURES, shares.tolist(), strict=True):
            row |= {measure: mean, f"{measure}_interval": span}
        rows.append(row)
    return rows
