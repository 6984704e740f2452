"""Every result in plain values, by step, with where it came from."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from analysis.answer import plain
from analysis.evidence import Evidence
from analysis.experiments import (
    ablation,
    activations,
    census,
    comparison,
    composition,
    corpus_scan,
    direct_effect,
    generality,
    intervention,
    logit_lens,
    neuron_sweep,
    next_token,
    patching,
    upstream,
    weight_modulation,
)
from analysis.original import verification

NEURONS = 100
"""Neurons of a sweep that are listed, from either end."""


def _patching(result: patching.Patching) -> dict[str, Any]:
    return {name: patching.summary(result, name) for name in (*result.components, "z")}


SUMMARIES: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "next_token": next_token.summary,
    "logit_lens": logit_lens.summary,
    "patching": _patching,
    "neuron_sweep": lambda result: neuron_sweep.summary(result, NEURONS),
    "direct_effect": direct_effect.summary,
    "activations": activations.summary,
    "corpus_scan": corpus_scan.summary,
    "upstream": upstream.summary,
    "composition": composition.summary,
    "ablation": ablation.summary,
    "intervention": intervention.summary,
    "weight_modulation": weight_modulation.summary,
    "generality": generality.summary,
    "census": census.summary,
    "comparison": comparison.summary,
    "verification": verification.summary,
}


def summary(evidence: Evidence, step: str) -> dict[str, Any]:
    """What the result of one step says."""
    return SUMMARIES[step](getattr(evidence, step))


def document(evidence: Evidence, step: str) -> dict[str, Any]:
    """What the result of one step says and where it came from, as JSON knows values."""
    provenance = asdict(evidence.provenance[step])
    return {"provenance": provenance, "summary": plain(summary(evidence, step))}
