"""Experiment 4: every neuron of every layer, patched alone."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.engines.patcher import NeuronPatcher, Positions
from analysis.errors import UserError
from analysis.experiments.neuron_sweep.measured import NeuronSweep, ranked
from analysis.experiments.neuron_sweep.selecting import Selection, candidate_effects
from analysis.inputs import Inputs
from analysis.neuron import Neuron, parse_neuron
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair
from analysis.subject import Subject

CANDIDATES = 10
"""How many of the best neurons are confirmed on held-out pairs."""

OUTSIDE_SAMPLE = 256
"""How many neurons are drawn to see what a screen missed."""


def run(subject: Subject, inputs: Inputs, progress: Progress) -> NeuronSweep:
    """The sweep over the question's pair, or several, confirmed on its held-out pairs."""
    question, choosing = inputs.question, inputs["pairs"]
    pair, *also = question.selection_pairs(subject, choosing)
    return neuron_sweep(
        subject,
        pair,
        question.held_out_pairs(subject, inputs["held_out"], choosing),
        inputs["positions"],
        inputs["screen"],
        inputs["seed"],
        progress,
        also,
    )


def summary(sweep: NeuronSweep, top: int = 20) -> dict[str, Any]:
    """The sweep in plain values: best and lowest neurons, the screen's error, held-out recovery."""
    order = ranked(sweep)
    exact = sweep.exact
    error = np.abs(sweep.attribution - sweep.recovery)[exact]
    return {
        "target": sweep.target,
        "foil": sweep.foil,
        "positions": sweep.positions,
        "engine": sweep.engine,
        "clean_diff": sweep.clean_diff,
        "corrupted_diff": sweep.corrupted_diff,
        "pairs": [
            {"pair": name, "gap": float(gap)}
            for name, gap in zip(sweep.selection, sweep.selection_gap, strict=True)
        ],
        "n_neurons": int(exact.size),
        "exact": int(exact.sum()),
        "noise": sweep.noise,
        "neurons": [_row(sweep, neuron) for neuron in order[:top]],
        "candidates": [
            {
                "neuron": name,
                "recovery": recovery,
                "recovery_interval": interval,
                "noising": noising,
                "beside_best": beside,
            }
            for name, (recovery, *interval), noising, beside in zip(
                sweep.candidates,
                sweep.selection_recovery,
                sweep.noising.tolist(),
                sweep.beside_best.tolist(),
                strict=True,
            )
        ],
        "lowest": [_row(sweep, neuron) for neuron in order[: -top - 1 : -1]],
        "attribution": {"largest_error": float(error.max()), **_outside_summary(sweep)},
        "held_out": _held_out_summary(sweep),
    }


def _outside_summary(sweep: NeuronSweep) -> dict[str, Any]:
    """What a screen left out, by a random sample: how wrong the estimates are, what they hid."""
    if not sweep.outside:
        return {"outside_measured": 0}
    places = [parse_neuron(name, *sweep.exact.shape) for name in sweep.outside]
    estimates = np.array([sweep.attribution[place] for place in places])
    missed = _missed(np.abs(sweep.recovery[sweep.exact]), np.abs(sweep.outside_recovery))
    return {
        "outside_measured": len(places),
        "outside_largest_error": float(np.abs(estimates - sweep.outside_recovery).max()),
        "outside_largest": float(np.abs(sweep.outside_recovery).max()),
        "missed": [sweep.outside[i] for i in missed],
    }


def _missed(
    measured: Float[np.ndarray, " chosen"], outside: Float[np.ndarray, " sample"]
) -> list[int]:
    """Which of those left out belong to the largest, of as many as the screen has chosen."""
    largest = np.argsort(-np.concatenate([measured, outside]), kind="stable")[: len(measured)]
    return sorted((largest[largest >= len(measured)] - len(measured)).tolist())


def _row(sweep: NeuronSweep, neuron: Neuron) -> dict[str, Any]:
    return {
        "neuron": str(neuron),
        "recovery": float(sweep.recovery[neuron]),
        "activation_change": float(sweep.activation_change[neuron]),
    }


def _held_out_summary(sweep: NeuronSweep) -> list[dict[str, Any]]:
    kinds = {
        "recovery": sweep.held_out_recovery,
        "noising": sweep.held_out_noising_recovery,
        "beside_best": sweep.held_out_recovery_beside_best,
    }
    rows: list[dict[str, Any]] = []
    for i, neuron in enumerate(sweep.candidates[: len(sweep.held_out_recovery)]):
        rows.append({"neuron": neuron})
        for name, (mean, *interval) in ((k, found[i]) for k, found in kinds.items()):
            rows[-1] |= {name: mean, f"{name}_interval": interval}
    return rows


def neuron_sweep(
    subject: Subject,
    pair: PromptPair,
    held_out: Sequence[PromptPair] = (),
    positions: Positions = "last",
    screen: int = 0,
    seed: int = 0,
    progress: Progress = silent,
    also: Sequence[PromptPair] = (),
) -> NeuronSweep:
    """Patch every neuron alone from the clean into the corrupted run (denoising).

    Over several pairs a recovery is the sum of the effects over the sum of the gaps. Pairs whose
    two prompts the model does not tell apart can neither choose nor confirm; they are left out, as
    are, of those that choose, pairs that it tells apart the other way round than the first.

    Args:
        subject: the model.
        pair: the question.
        held_out: pairs on which the best neurons are confirmed.
        positions: patch the last position only, or all.
        screen: 0 measures every neuron; K measures the K best by attribution (in size, either
            sign) and keeps the estimate for the rest.
        seed: of the random draws.
        progress: told the finished fraction.
        also: further pairs that choose together with the first.

    Raises:
        UserError: the model does not tell the two prompts of the first pair apart.
    """
    choosing = Selection(subject, pair, also, positions)
    shape = (subject.n_layers, subject.d_mlp)
    attribution = choosing.attribution()
    exact = _chosen(attribution, screen)
    recovery = attribution.clone()
    recovery[exact] = choosing.recoveries(exact, part_of(progress, 0.0, 0.9))
    outside = _draw(~exact, seed)
    candidates = _best(recovery, exact, CANDIDATES)
    effects = np.stack([candidate_effects(patcher, candidates) for patcher in choosing.patchers])
    _, noising, beside = effects.sum(0) / np.float32(choosing.gap)
    confirmed = _confirm(subject, held_out, candidates, positions)
    progress(1.0)
    return NeuronSweep(
        clean=pair.clean.text,
        corrupted=pair.corrupted.text,
        target=pair.contrast.target,
        foil=pair.contrast.foil,
        positions=positions,
        clean_diff=choosing.patchers[0].clean_diff,
        corrupted_diff=choosing.patchers[0].corrupted_diff,
        selection=tuple(map(_named, (each.pair for each in choosing.patchers))),
        selection_gap=choosing.gaps,
        selection_effect=effects[:, 0],
        recovery=recovery.cpu().numpy().reshape(shape),
        exact=exact.cpu().numpy().reshape(shape),
        attribution=attribution.cpu().numpy().reshape(shape),
        activation_change=choosing.changes().cpu().numpy(),
        noise=choosing.noise(),
        engine=choosing.patchers[0].engine,
        outside=tuple(str(Neuron(*place)) for place in outside.nonzero().tolist()),
        outside_recovery=choosing.recoveries(outside).cpu().numpy(),
        candidates=tuple(map(str, candidates)),
        noising=noising,
        beside_best=beside,
        **confirmed,
    )


def _chosen(attribution: Tensor, screen: int) -> Bool[Tensor, "layer d_mlp"]:
    exact = torch.zeros(attribution.shape, dtype=torch.bool, device=attribution.device)
    if screen == 0 or screen >= attribution.numel():
        return ~exact
    exact.view(-1)[attribution.abs().flatten().topk(screen).indices] = True
    return exact


def _draw(among: Bool[Tensor, "layer d_mlp"], seed: int) -> Bool[Tensor, "layer d_mlp"]:
    """A random sample of the marked neurons."""
    marked = among.flatten().nonzero()[:, 0].cpu().numpy()
    size = min(OUTSIDE_SAMPLE, len(marked))
    picked = np.random.default_rng(seed).choice(marked, size, replace=False)
    drawn = torch.zeros_like(among)
    drawn.view(-1)[torch.as_tensor(picked, device=among.device)] = True
    return drawn


def _best(recovery: Tensor, exact: Tensor, count: int) -> list[Neuron]:
    measured = recovery.masked_fill(~exact, -torch.inf).flatten()
    top = measured.topk(min(count, int(exact.sum()))).indices.tolist()
    return [Neuron(n // recovery.shape[1], n % recovery.shape[1]) for n in top]


def _confirm(
    subject: Subject, held_out: Sequence[PromptPair], candidates: list[Neuron], positions: Positions
) -> dict[str, Any]:
    """Patch the candidates, each alone, in pairs that did not choose them."""
    names: list[str] = []
    gaps: list[float] = []
    rows: list[np.ndarray] = []
    for pair in held_out:
        with suppress(UserError):
            patcher = NeuronPatcher(subject, pair, positions)
            rows.append(candidate_effects(patcher, candidates))
            gaps.append(patcher.gap)
            names.append(_named(pair))
    effects = np.array(rows, dtype=np.float32).reshape(-1, 3, len(candidates))
    kinds = ("held_out_effect", "held_out_noising", "held_out_beside")
    return {
        "held_out": tuple(names),
        "held_out_gap": np.array(gaps, dtype=np.float32),
        **{name: effects[:, i] for i, name in enumerate(kinds)},
    }


def _named(pair: PromptPair) -> str:
    return f"{pair.clean.text} / {pair.corrupted.text}"
