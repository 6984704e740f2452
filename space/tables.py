"""The rows that stand below an answer: the ones that matter, the rest is in its JSON."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from analysis import finding
from analysis.experiments import composition, corpus_scan, intervention, neuron_sweep, upstream
from analysis.experiments.activations import Activations
from analysis.experiments.patching import Patching
from analysis.weights import writers

Rows = list[dict[str, Any]]
SHOWN = 20


def _activations(result: Activations) -> Rows:
    where = result.text(0)
    columns = zip(
        result.tokens[where],
        result.activations[where].tolist(),
        result.p_target[where].tolist(),
        strict=True,
    )
    names = ("token", "activation", "probability of target")
    return [dict(zip(names, row, strict=True)) for row in columns]


def _heads(result: Patching) -> Rows:
    order = np.argsort(-np.abs(result.heads_restored), axis=None, kind="stable")[:SHOWN]
    places = [divmod(int(i), result.heads_restored.shape[1]) for i in order]
    return [
        {
            "head": f"L{layer}H{head}",
            "recovery": float(result.heads_restored[layer, head]),
            "lost when broken": float(result.heads_broken[layer, head]),
        }
        for layer, head in places
    ]


def _sweep(result: neuron_sweep.NeuronSweep) -> Rows:
    told = neuron_sweep.summary(result, SHOWN // 2)
    rows: Rows = told["neurons"] + told["lowest"][::-1]
    return [
        {**row, "direction": "rises" if row["activation_change"] > 0 else "falls"} for row in rows
    ]


def _found(result: finding.Found) -> Rows:
    told = finding.summary(result)
    names = [row["neuron"] for row in told["by_patching"]]
    others = [row for row in told["by_weights"] if row["neuron"] not in names]
    return [
        {
            "neuron": row["neuron"],
            "recovery": row["recovery"],
            "how": "patched" if row["measured"] else "estimate",
            "writes, logits per unit": row["logits"] * row.get("direction", 1)
            if row["logits"] is not None
            else None,
        }
        for row in [*told["by_patching"], *others]
    ]


def _writers(result: writers.Writers) -> Rows:
    rows: Rows = writers.summary(result)["neurons"]
    sides = {1: "above zero", -1: "below zero"}
    return [{**row, "direction": sides[row["direction"]]} for row in rows]


def _parts(result: upstream.Upstream) -> Rows:
    told = upstream.summary(result)
    rows: Rows = told.get(result.lead, told)["parts"]
    rows = [{**row, "difference": row["value"] - row["corrupted"]} for row in rows]
    return sorted(rows, key=lambda row: -abs(row["difference"]))[:SHOWN]


def _components(result: composition.Composition) -> Rows:
    told = composition.summary(result, SHOWN)
    rows: Rows = [*told["by_component"][: SHOWN // 2], *told["neurons"][: SHOWN // 2]]
    return rows


def _examples(result: corpus_scan.CorpusScan) -> Rows:
    told = corpus_scan.summary(result)
    groups = (("highest", told["top"]), ("lowest", told["bottom"]), ("quantile", told["quantiles"]))
    return [{"kind": kind, **row} for kind, rows in groups for row in rows]


def _settings(result: intervention.Intervention) -> Rows:
    rows: Rows = intervention.summary(result)["settings"]
    return [{k: v for k, v in row.items() if k != "sd"} for row in rows]


ROWS: Mapping[str, Callable[[Any], Rows]] = {
    "activations": _activations,
    "patching": _heads,
    "sweep": _sweep,
    "find": _found,
    "writers": _writers,
    "upstream": _parts,
    "composition": _components,
    "intervene": _settings,
    "scan": _examples,
}
"""Rows by question; the others have none."""
