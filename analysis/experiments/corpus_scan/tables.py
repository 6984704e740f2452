"""The corpus scan as tables: examples by activation, and how well the places of words are told."""

import math

from analysis.experiments.corpus_scan.compute import CorpusScan, summary
from analysis.experiments.corpus_scan.facts import from_whole_character, often_enough
from analysis.tables import Column, Listing, Rows, Table, part


def _examples(result: CorpusScan) -> Rows:
    answer = summary(result)
    groups = (
        ("highest", answer["top"]),
        ("lowest", answer["bottom"]),
        ("quantile", answer["quantiles"]),
    )
    rows = [{"kind": kind, **row} for kind, rows in groups for row in rows]
    return [
        {**row, "before": from_whole_character(row.get("before", ""))}
        for row in [*rows, *_quadrant_examples(result)]
    ]


def _quadrant_examples(result: CorpusScan) -> Rows:
    return [
        {"kind": f"gate {row['gate']}, up {row['up']}: {row['tokens']:,} tokens", **example}
        for row in summary(result)["quadrants"]
        for example in row["examples"]
    ]


def _quadrant_counts(result: CorpusScan) -> Rows:
    return [
        {name: value for name, value in row.items() if name != "examples"}
        for row in summary(result)["quadrants"]
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
LISTING = Listing("Where the neuron is highest, lowest, and in between", _examples)
