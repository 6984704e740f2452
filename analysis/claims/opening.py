"""The first lines of the page: is there such a neuron at all, and when does it fire?"""

import re
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from analysis.claims import (
    ablation,
    activity,
    composition,
    confirmation,
    corpus,
    generality,
    neurons,
    news,
    upstream,
    writes,
)
from analysis.claims.loudness import fires_before, sampled
from analysis.claims.wording import count, ordinal, percent, plain, plural, say, token
from analysis.evidence import Evidence
from analysis.experiments.neuron_sweep import NeuronSweep

STRONG = 0.25
"""A neuron "makes" the model predict when it alone brings back this share of the difference."""

ORIGINAL = ("gpt2-large", "openai-community/gpt2-large")
"""Names of the original study's model: the catalogue's and the hub's."""

SMALL = 100_000
"""Fewer neurons than this make a small model; the original study's had 184,320."""


@dataclass(frozen=True)
class Opening:
    """Title, first sentences, and the findings in brief, each with the section that shows it."""

    title: str
    lede: Markup
    method: Markup
    firing: Markup
    brief: tuple[tuple[str, Markup], ...]
    question: Markup
    original: Markup
    limits: tuple[Markup, ...]


def opening(evidence: Evidence) -> Opening:
    """What the page claims before it shows anything."""
    return Opening(
        title=_title(evidence),
        lede=_lede(evidence),
        method=_method(evidence),
        firing=activity.firing(evidence.activations),
        brief=(
            ("neurons", neurons.standing(evidence.neuron_sweep)),
            ("neurons", confirmation.confirmed(evidence.neuron_sweep)),
            ("writes", writes.writes_target(evidence)),
            ("activity", news.on_news(evidence.activations)),
            ("corpus", corpus.finding(evidence.corpus_scan)),
            ("upstream-section", _headed(upstream.upstream(evidence))),
            ("composing", _headed(composition.composition(evidence))),
            ("ablation-section", _headed(ablation.ablation(evidence))),
            ("generality-section", _headed(generality.generality(evidence))),
        ),
        question=_question(evidence),
        original=_original(evidence),
        limits=_limits(evidence),
    )


def _headed(section: Any) -> Markup:
    """A section's heading and the finding of its first figure."""
    return say("{}: {}", section.heading, section.caption)


def model_name(evidence: Evidence) -> str:
    """The model's full name where its source tells it, else the catalogue's."""
    match = re.search(r"\(([^,()]+), Q\d", evidence.origin.source)
    return match[1] if match else evidence.origin.model


def found(evidence: Evidence) -> bool:
    """Whether one neuron, ahead of the others, carries a good part of this pair's difference."""
    sweep = evidence.neuron_sweep
    return neurons.recovery_of(sweep, 0) >= STRONG and neurons.ahead(sweep)


def _title(evidence: Evidence) -> str:
    word = plain(evidence.direct_effect.target)
    if not found(evidence):
        return f"Looking for the neuron that predicts “{word}”"
    verb = "predicts" if confirmation.holds(evidence.neuron_sweep) else "may predict"
    return f"One neuron {verb} “{word}”"


def _lede(evidence: Evidence) -> Markup:
    names = {
        "neurons": count(evidence.neuron_sweep.recovery.size),
        "model": model_name(evidence),
        "target": token(evidence.direct_effect.target),
    }
    if not found(evidence):
        return say(
            "No single neuron among the {neurons} of {model} stands out as the one that makes it "
            "<em>predict</em> {target}.",
            **names,
        )
    if confirmation.holds(evidence.neuron_sweep):
        told = "One neuron among the {neurons} of {model} makes it <em>predict</em> {target}{when}."
        return say(told, when=_when(evidence), **names)
    return say(
        "One neuron among the {neurons} of {model} makes it <em>predict</em> {target} in the pair "
        "of prompts that chose it, but this is not confirmed: {why}.",
        why=_unconfirmed(evidence.neuron_sweep),
        **names,
    )


def _when(evidence: Evidence) -> str:
    return ", and it fires on the token before" if fires_before(evidence.activations) else ""


def _unconfirmed(sweep: NeuronSweep) -> str:
    """Why a neuron that stands out on its own pair is not taken to be confirmed."""
    if not len(sweep.held_out_gap):
        return "there are no held-out prompts for this question"
    rank, candidates = confirmation.held_out_rank(sweep), len(sweep.candidates)
    if candidates == 1:
        return "on held-out prompts it does not clearly bring back the difference"
    if rank > 1:
        return f"on held-out prompts it is only {ordinal(rank)} among its {candidates} candidates"
    return f"on held-out prompts it is first among its {candidates} candidates, but not clearly so"


def _method(evidence: Evidence) -> Markup:
    sweep = evidence.neuron_sweep
    return say(
        "Take two sentences that differ in one word, so that one calls for {} and the other for "
        "{}. Carry the activation of a single neuron, {}, from the first sentence into the "
        "second, change nothing else, and {} of the difference between the model’s two answers "
        "comes back.",
        token(sweep.target),
        token(sweep.foil),
        sweep.candidates[0],
        percent(neurons.recovery_of(sweep, 0)),
    )


def _question(evidence: Evidence) -> Markup:
    target, foil = evidence.direct_effect.target, evidence.direct_effect.foil
    if (target.strip(), foil.strip()) != ("an", "a"):
        return say("The choice we study is the one between {} and {}.", token(target), token(foil))
    return say(
        "English says {} before a vowel sound and {} before the rest. A language model writes from "
        "left to right, one token (a word or a piece of one) at a time, so it must choose the "
        "article before the noun exists. To choose well it has to know, somewhere inside, what it "
        "is about to say.",
        token(target),
        token(foil),
    )


def _original(evidence: Evidence) -> Markup:
    """What this page has to do with the original study; its numbers are never ours."""
    which = "the same model again" if evidence.origin.model in ORIGINAL else "another model"
    return say(
        "That is their published result, for their model. Here we put the same question to {}, {}, "
        "from the first step to the last. Every number below was computed in doing so; where "
        "one of theirs is laid beside, it is named as published.",
        which,
        model_name(evidence),
    )


def _limits(evidence: Evidence) -> tuple[Markup, ...]:
    return (
        _size(evidence),
        *_weights(evidence),
        _pairs(evidence.neuron_sweep),
        say(
            "The selection is greedy: each neuron is patched alone and the best one taken. Two "
            "neurons that matter only together would be missed, and recoveries need not add up."
        ),
        say(
            "The numbers on news are of a sample, {}: {} tokens, and not the whole corpus.",
            news.texts_drawn(evidence.activations),
            count(int(sampled(evidence.activations).sum())),
        ),
    )


def _weights(evidence: Evidence) -> tuple[Markup, ...]:
    """What was done to the weights, as far as their source tells."""
    source = evidence.origin.source
    bits = re.search(r"Q(\d)_", source)
    rows = []
    if bits:
        quantised = say(
            "Its weights were quantised to {} bits and expanded again to {}, so its logits are "
            "not quite those of the model as published.",
            bits[1],
            evidence.origin.dtype,
        )
        rows.append(quantised)
    if "instruct" in source.lower():
        rows.append(say("It was tuned on instructions; here it only continues plain text."))
    return tuple(rows)


def _pairs(sweep: NeuronSweep) -> Markup:
    """What the prompts that chose and confirmed the neuron leave open."""
    if not len(sweep.held_out_gap):
        return say("One pair of prompts chose the neuron, and no others were there to confirm it.")
    return say(
        "One pair of prompts chose the neuron. It was checked on {}, all made from the same "
        "sentence with other words; other sentences are asked about further down. Only the "
        "candidates, {} of {}, were patched there.",
        plural(len(sweep.held_out_gap), "other pair", "other pairs"),
        count(len(sweep.candidates)),
        plural(sweep.recovery.size, "neuron", "neurons"),
    )


def _size(evidence: Evidence) -> Markup:
    layers, width = evidence.neuron_sweep.recovery.shape
    shape = say(
        "{} of {} each",
        plural(layers, "layer", "layers"),
        plural(width, "MLP neuron", "MLP neurons"),
    )
    if layers * width >= SMALL:
        return say("The model is {}: {}.", model_name(evidence), shape)
    return say(
        "The model, {}, is small: {}. What holds in it need not hold in a larger one.",
        model_name(evidence),
        shape,
    )
