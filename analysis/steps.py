"""The steps that make the paper, in order: what each asks, and the experiment that answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from analysis import corpus
from analysis.assets import CORPUS
from analysis.experiments.activations import Activations, activations
from analysis.experiments.composition import Composition, composition
from analysis.experiments.direct_effect import DirectEffect, direct_effect
from analysis.experiments.logit_lens import LogitLens, logit_lens
from analysis.experiments.neuron_sweep import NeuronSweep, neuron_sweep
from analysis.experiments.next_token import NextToken, next_token
from analysis.experiments.patching import Patching, patching
from analysis.neuron import Neuron
from analysis.progress import Progress
from analysis.question import PromptPair, excerpt, make_prompt
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

RANDOM_TEXTS, RANDOM_TOKENS = 100, 128


@dataclass(frozen=True)
class Inputs:
    """What a study asks: the question, the neuron found by the sweep, and the seed."""

    pair: PromptPair
    held_out: tuple[PromptPair, ...]
    neuron: Neuron | None
    seed: int

    def described(self) -> dict[str, Any]:
        """Everything a step may ask beyond the pair, in plain values."""
        return {
            "neuron": str(self.neuron),
            "held_out": tuple((pair.clean.text, pair.corrupted.text) for pair in self.held_out),
            "natural": NATURAL,
            "random_texts": f"{RANDOM_TEXTS} of {RANDOM_TOKENS} tokens, {CORPUS.member_sha256}",
        }


@dataclass(frozen=True)
class Step:
    """One experiment of the study.

    Attributes:
        name: name of the step and of its files.
        kind: class of its result.
        run: computes it.
        asks: what it asks beyond the pair, by name in ``Inputs.described``, for the record.
        reads: modules it rests on beside its experiment, such as the corpus.
    """

    name: str
    kind: type
    run: Callable[[Subject, Inputs, Progress], Any]
    asks: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


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
    assert inputs.neuron is not None
    return direct_effect(subject, inputs.neuron, inputs.pair.contrast, inputs.seed)


def _activations(subject: Subject, inputs: Inputs, progress: Progress) -> Activations:
    assert inputs.neuron is not None
    pair = inputs.pair
    texts = (pair.clean, pair.corrupted)
    drawn = corpus.sample(RANDOM_TEXTS, inputs.seed)
    unrelated = [make_prompt(subject, excerpt(subject, text, RANDOM_TOKENS)) for _, text in drawn]
    return activations(subject, inputs.neuron, pair.contrast, texts, unrelated, progress)


def _composition(subject: Subject, inputs: Inputs, progress: Progress) -> Composition:
    assert inputs.neuron is not None
    return composition(subject, inputs.neuron, inputs.pair, inputs.held_out, progress=progress)


STEPS = (
    Step("next_token", NextToken, _next_token, asks=("natural",)),
    Step("logit_lens", LogitLens, _logit_lens),
    Step("patching", Patching, _patching),
    Step("neuron_sweep", NeuronSweep, _neuron_sweep, asks=("held_out",)),
    Step("direct_effect", DirectEffect, _direct_effect, asks=("neuron",)),
    Step(
        "activations",
        Activations,
        _activations,
        asks=("neuron", "random_texts"),
        reads=("analysis.corpus",),
    ),
    Step("composition", Composition, _composition, asks=("neuron", "held_out")),
)
