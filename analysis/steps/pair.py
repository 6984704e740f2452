"""Steps that ask about the pair of prompts."""

from analysis.experiments.composition import Composition, composition
from analysis.experiments.direct_effect import DirectEffect, direct_effect
from analysis.experiments.logit_lens import LogitLens, logit_lens
from analysis.experiments.neuron_sweep import NeuronSweep, neuron_sweep
from analysis.experiments.next_token import NextToken, next_token
from analysis.experiments.patching import Patching, patching
from analysis.experiments.upstream import Upstream, upstream
from analysis.progress import Progress
from analysis.question import make_prompt
from analysis.steps.inputs import Inputs, Step, held_out, neuron
from analysis.subject import Subject

NATURAL = (
    "Every action has",
    "An eye for",
    "I'll be there in under half",
    "Ross Perot, who ran as",
    "Van der Bellen, who ran as",
    "Senator Angus King, who ran as",
    "Spot gold was up 0.7 percent at $1,340.90",
)
"""Prompts of the original study, and its kind, that call for " an" in ordinary prose."""


def _next_token(subject: Subject, inputs: Inputs, _progress: Progress) -> NextToken:
    natural = tuple(make_prompt(subject, text) for text in NATURAL)
    prompts = (inputs.pair.clean, inputs.pair.corrupted, *natural)
    return next_token(subject, prompts, inputs.pair.contrast)


def _logit_lens(subject: Subject, inputs: Inputs, _progress: Progress) -> LogitLens:
    pair = inputs.pair
    return logit_lens(subject, (pair.clean, pair.corrupted), pair.contrast)


def _patching(subject: Subject, inputs: Inputs, progress: Progress) -> Patching:
    return patching(subject, inputs.pair, progress)


def _neuron_sweep(subject: Subject, inputs: Inputs, progress: Progress) -> NeuronSweep:
    return neuron_sweep(subject, inputs.pair, inputs.held_out, seed=inputs.seed, progress=progress)


def _direct_effect(subject: Subject, inputs: Inputs, _progress: Progress) -> DirectEffect:
    return direct_effect(subject, inputs.neuron, inputs.pair.contrast, inputs.seed)


def _upstream(subject: Subject, inputs: Inputs, progress: Progress) -> Upstream:
    return upstream(subject, inputs.neuron, inputs.pair, inputs.held_out, progress)


def _composition(subject: Subject, inputs: Inputs, progress: Progress) -> Composition:
    return composition(subject, inputs.neuron, inputs.pair, inputs.held_out, progress=progress)


NEXT_TOKEN = Step("next_token", NextToken, _next_token, {"natural": lambda _: NATURAL})
LOGIT_LENS = Step("logit_lens", LogitLens, _logit_lens)
PATCHING = Step("patching", Patching, _patching)
NEURON_SWEEP = Step("neuron_sweep", NeuronSweep, _neuron_sweep, {"held_out": held_out})
DIRECT_EFFECT = Step("direct_effect", DirectEffect, _direct_effect, {"neuron": neuron})
UPSTREAM = Step("upstream", Upstream, _upstream, {"neuron": neuron, "held_out": held_out})
COMPOSITION = Step(
    "composition", Composition, _composition, {"neuron": neuron, "held_out": held_out}
)
