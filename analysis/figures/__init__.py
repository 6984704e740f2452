"""One file per experiment: pure functions from its Result to a Plotly figure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from analysis.experiments.ablation import Ablation
from analysis.experiments.activations import Activations
from analysis.experiments.census import Census
from analysis.experiments.comparison import Comparison
from analysis.experiments.composition import Composition
from analysis.experiments.corpus_scan import CorpusScan
from analysis.experiments.direct_effect import DirectEffect
from analysis.experiments.generality import Generality
from analysis.experiments.intervention import Intervention
from analysis.experiments.logit_lens import LogitLens
from analysis.experiments.neuron_sweep import NeuronSweep
from analysis.experiments.next_token import NextToken
from analysis.experiments.patching import Patching
from analysis.experiments.upstream import Upstream
from analysis.experiments.weight_modulation import WeightModulation
from analysis.figures.ablation import ablation, collateral
from analysis.figures.activations import activations, random_text
from analysis.figures.beside_original import beside_original
from analysis.figures.census import agreement, census, hubs
from analysis.figures.comparison import comparison
from analysis.figures.composition import composition
from analysis.figures.composition_held_out import composition_held_out
from analysis.figures.corpus_scan import corpus_auc, corpus_scan
from analysis.figures.direct_effect import direct_effect, written_tokens
from analysis.figures.generality import generality
from analysis.figures.intervention import intervention
from analysis.figures.logit_lens import logit_lens
from analysis.figures.neuron_sweep import attribution, confirmation, neuron_sweep
from analysis.figures.next_token import natural_prompts, next_token
from analysis.figures.patching import heads, patching
from analysis.figures.upstream import upstream, upstream_steps
from analysis.figures.upstream_alignment import upstream_alignment
from analysis.figures.upstream_words import upstream_pairs, upstream_sources
from analysis.figures.weight_modulation import weight_modulation


@dataclass(frozen=True)
class Drawing:
    """One figure: the study step it reads, that step's Result, and the function that draws it."""

    step: str
    kind: type
    draw: Callable[[Any], go.Figure]


FIGURES: dict[str, Drawing] = {
    "next_token": Drawing("next_token", NextToken, next_token),
    "natural_prompts": Drawing("next_token", NextToken, natural_prompts),
    "logit_lens": Drawing("logit_lens", LogitLens, logit_lens),
    "patching": Drawing("patching", Patching, patching),
    "heads": Drawing("patching", Patching, heads),
    "neuron_sweep": Drawing("neuron_sweep", NeuronSweep, neuron_sweep),
    "confirmation": Drawing("neuron_sweep", NeuronSweep, confirmation),
    "attribution": Drawing("neuron_sweep", NeuronSweep, attribution),
    "direct_effect": Drawing("direct_effect", DirectEffect, direct_effect),
    "written_tokens": Drawing("direct_effect", DirectEffect, written_tokens),
    "activations": Drawing("activations", Activations, activations),
    "random_text": Drawing("activations", Activations, random_text),
    "corpus_scan": Drawing("corpus_scan", CorpusScan, corpus_scan),
    "corpus_auc": Drawing("corpus_scan", CorpusScan, corpus_auc),
    "upstream": Drawing("upstream", Upstream, upstream),
    "upstream_sources": Drawing("upstream", Upstream, upstream_sources),
    "upstream_steps": Drawing("upstream", Upstream, upstream_steps),
    "upstream_pairs": Drawing("upstream", Upstream, upstream_pairs),
    "upstream_alignment": Drawing("upstream", Upstream, upstream_alignment),
    "composition": Drawing("composition", Composition, composition),
    "composition_held_out": Drawing("composition", Composition, composition_held_out),
    "intervention": Drawing("intervention", Intervention, intervention),
    "ablation": Drawing("ablation", Ablation, ablation),
    "collateral": Drawing("ablation", Ablation, collateral),
    "weight_modulation": Drawing("weight_modulation", WeightModulation, weight_modulation),
    "generality": Drawing("generality", Generality, generality),
    "census": Drawing("census", Census, census),
    "hubs": Drawing("census", Census, hubs),
    "agreement": Drawing("census", Census, agreement),
    "comparison": Drawing("comparison", Comparison, comparison),
    "beside_original": Drawing("patching", Patching, beside_original),
}
"""Every figure of the paper, in reading order."""
