"""The corpus scan as tables: examples by activation, and how well the places of words are told."""

import math
from collections.abc import Mapping
from typing import Any

from analysis.experiments.corpus_scan.compute import CorpusScan, summary
from analysis.experiments.corpus_scan.facts import often_enough
from analysis.tables import Column, Listing, Rows, Table, part


def examples(result: CorpusScan) -> Rows:
    """Tokens in their context: of the highest activation, the lowest, and at quantiles."""
    answer = summary(result)
    groups = {"highest": "top", "quantile": "quantiles", "lowest": "bottom"}
    rows = [{"kind": kind, **row} for kind, name in groups.items() for row in answer[name]]
    return [_from_whole_character(row) for row in rows]


def quadrants(result: CorpusScan) -> Rows:
    """The signs of gate and up, each with its share of all tokens and its examples."""
    total = max(1, int(result.quadrant_tokens.sum()))
    return [
        {
            **row,
            "share": row["tokens"] / total,
            "examples": [_from_whole_character(example) for example in row["examples"]],
        }
        for row in summary(result)["quadrants"]
    ]


def _from_whole_character(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is left of a character that the excerpt cuts at its beginning."""
    return {**row, "context": row["context"].lstrip("\ufffd")}


def _listed(result: CorpusScan) -> Rows:
    of_quadrants = [
        {"kind": f"gate {row['gate']}, up {row['up']}: {row['tokens']:,} tokens", **example}
        for row in quadrants(result)
        for example in row["examples"]
    ]
    return [*examples(result), *of_quadrants]


def _quadrant_counts(result: CorpusScan) -> Rows:
    return [
        {name: value for name, value in row.items() if name not in ("examples", "share")}
        for row in quadrants(result)
    ]


def _areas(result: CorpusScan) -> Rows:
    named = [("the model", result.model_auc), *zip(result.neurons, result.auc, strict=True)]
    return [
        {"of": name, "places": label, "auc": area, "interval": span}
        for name, areas in named
        for label, (area, *span) in zip(result.labels, areas.tolist(), strict=True)
        if label in often_enough(result) and math.isfinite(area)
    ]


TABLES = (
    Table(
        "corpus_quantiles",
        "Tokens of the corpus at quantiles of the neuron's activation.",
        part(summary, "quantiles"),
        (
            Column("quantile", "Quantile"),
            Column("value", "Activation"),
            Column("token", "Token", "token"),
            Column("next", "Next", "token"),
        ),
    ),
    Table(
        "corpus_quadrants",
        "Tokens of the corpus by the signs of the neuron's gate and up, and how often the target "
        "follows there, with 95 % intervals over documents.",
        _quadrant_counts,
        (
            Column("gate", "Gate", "text"),
            Column("up", "Up", "text"),
            Column("tokens", "Tokens"),
            Column("activation", "Activation"),
            Column("target_share", "Target follows", span="target_interval"),
            Column("foil_share", "Foil follows", span="foil_interval"),
        ),
    ),
    Table(
        "corpus_auc",
        "How well the model and its neurons tell the target's places in the corpus (AUC), with "
        "95 % intervals over documents: where it is the model's first choice (top), where it "
        "really follows (next), and which of target and foil follows (which).",
        _areas,
        (
            Column("of", "Of", "text"),
            Column("places", "Places", "text"),
            Column("auc", "AUC", span="interval"),
        ),
    ),
)
LISTING = Listing("Where the neuron is highest, lowest, and in between", _listed)
