"""Every number and every conditional sentence of the page, computed from results.

Prose that a number could refute is chosen by that number. No claim knows the page's layout.
"""

from dataclasses import dataclass

from analysis.claims import (
    ablation,
    activity,
    census,
    circuit,
    comparison,
    composition,
    corpus,
    generality,
    intervention,
    lens,
    making,
    modulation,
    neurons,
    opening,
    original,
    prompts,
    upstream,
    writes,
)
from analysis.claims.opening import model_name
from analysis.evidence import Evidence


@dataclass(frozen=True)
class Claims:
    """What each section of the page says, by section."""

    opening: opening.Opening
    prompts: prompts.Prompts
    lens: lens.Lens
    circuit: circuit.Circuit
    neurons: neurons.Neurons
    writes: writes.Writes
    activity: activity.Activity
    corpus: corpus.Corpus
    upstream: upstream.UpstreamClaims
    composition: composition.Composing
    ablation: ablation.AblationClaims
    intervention: intervention.InterventionClaims
    modulation: modulation.Modulation
    generality: generality.GeneralityClaims
    census: census.CensusClaims
    comparison: comparison.ModelsCompared
    original: original.OriginalClaims
    making: making.Making
    model: str
    neuron: str
    target: str
    foil: str


def make_claims(evidence: Evidence) -> Claims:
    """Work out all that the page says about one study."""
    return Claims(
        opening=opening.opening(evidence),
        prompts=prompts.prompts(evidence),
        lens=lens.lens(evidence),
        circuit=circuit.circuit(evidence),
        neurons=neurons.neurons(evidence),
        writes=writes.writes(evidence),
        activity=activity.activity(evidence),
        corpus=corpus.corpus(evidence),
        upstream=upstream.upstream(evidence),
        composition=composition.composition(evidence),
        ablation=ablation.ablation(evidence),
        intervention=intervention.intervention(evidence),
        modulation=modulation.modulation(evidence),
        generality=generality.generality(evidence),
        census=census.census(evidence),
        comparison=comparison.comparison(evidence),
        original=original.original(evidence),
        making=making.making(evidence),
        model=model_name(evidence),
        neuron=evidence.neuron,
        target=evidence.direct_effect.target,
        foil=evidence.direct_effect.foil,
    )
