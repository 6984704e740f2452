"""One file per experiment: pure functions from its Result to a Plotly figure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from analysis.experiments.activations import Activations
from analysis.experiments.composition import Composition
from analysis.experiments.direct_effect import DirectEffect
from analysis.experiments.logit_lens import LogitLens
from analysis.experiments.neuron_sweep import NeuronSweep
from analysis.experiments.next_token import NextToken
from analysis.experiments.patching import Patching
from analysis.figures.activations import activations, random_text
from analysis.figures.composition import composition
from analysis.figures.composition_held_out import composition_held_out
from analysis.figures.direct_effect import direct_effect, written_tokens
from analysis.figures.logit_lens import logit_lens
from analysis.figures.neuron_sweep import attribution, confirmation, neuron_sweep
from analysis.figures.next_token import natural_prompts, next_token
from analysis.figures.patching import heads, patching


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
    "composition": Drawing("composition", Composition, composition),
    "composition_held_out": Drawing("composition", Composition, composition_held_out),
}
"""Every figure of the paper, in reading order."""
