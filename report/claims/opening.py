"""The first lines of the page: is there such a neuron at all, and when does it fire?"""

import re
from dataclasses import dataclass

from markupsafe import Markup

from report.claims import activity, neurons, writes
from report.claims.wording import count, percent, plain, say, token
from report.evidence import Evidence

STRONG = 0.25
"""A neuron "makes" the model predict when it alone brings back this share of the difference."""

ORIGINAL = "gpt2-large"

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
            ("neurons", neurons.confirmed(evidence.neuron_sweep)),
            ("writes", writes.writes_target(evidence.direct_effect)),
            ("activity", activity.on_news(evidence.activations)),
        ),
        question=_question(evidence),
        original=_original(evidence),
        limits=_limits(evidence),
    )


def model_name(evidence: Evidence) -> str:
    """The model's full name where its source tells it, else the catalogue's."""
    match = re.search(r"\(([^,()]+), Q\d", evidence.origin.source)
    return match[1] if match else evidence.origin.model


def found(evidence: Evidence) -> bool:
    """Whether one neuron carries a good part of the difference, on held-out prompts too."""
    sweep = evidence.neuron_sweep
    return neurons.recovery_of(sweep, 0) >= STRONG and neurons.holds(sweep)


def _title(evidence: Evidence) -> str:
    word = plain(evidence.direct_effect.target)
    if found(evidence):
        return f"One neuron predicts “{word}”"
    return f"Looking for the neuron that predicts “{word}”"


def _lede(evidence: Evidence) -> Markup:
    names = {
        "neurons": count(evidence.neuron_sweep.recovery.size),
        "model": model_name(evidence),
        "target": token(evidence.direct_effect.target),
    }
    if not found(evidence):
        return say(
            "No single neuron among the {neurons} of {model} makes it <em>predict</em> {target}.",
            **names,
        )
    when = (
        ", and it fires on the token before" if activity.fires_before(evidence.activations) else ""
    )
    return say(
        "One neuron among the {neurons} of {model} makes it <em>predict</em> {target}{when}.",
        when=when,
        **names,
    )


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
    which = "the same model again" if ORIGINAL in evidence.origin.model else "another model"
    return say(
        "That is their published result, for their model. Here we put the same question to {}, {}, "
        "from the first step to the last. Every number below was computed in doing so, and none is "
        "taken from theirs.",
        which,
        model_name(evidence),
    )


def _limits(evidence: Evidence) -> tuple[Markup, ...]:
    source, sweep, active = evidence.origin.source, evidence.neuron_sweep, evidence.activations
    bits = re.search(r"Q(\d)_", source)
    rows = [_size(evidence)]
    if bits:
        rows.append(
            say(
                "Its weights were quantised to {} bits and expanded again to {}, so its logits "
                "are not quite those of the model as published.",
                bits[1],
                evidence.origin.dtype,
            )
        )
    if "instruct" in source.lower():
        rows.append(say("It was tuned on instructions; here it only continues plain text."))
    rows.append(
        say(
            "One pair of prompts chose the neuron. The intervals are over {} other pairs, all made "
            "from the same sentence with other words, so they say nothing about other sentences.",
            count(len(sweep.held_out_gap)),
        )
    )
    rows.append(
        say(
            "The selection is greedy: each neuron is patched alone and the best one taken. Two "
            "neurons that matter only together would be missed, and recoveries need not add up."
        )
    )
    size = count(len(active.activations[active.random]))
    rows.append(say("The numbers on news are a sample of {} tokens, not the whole corpus.", size))
    return tuple(rows)


def _size(evidence: Evidence) -> Markup:
    layers, width = evidence.neuron_sweep.recovery.shape
    shape = say("{} layers of {} MLP neurons each", count(layers), count(width))
    if layers * width >= SMALL:
        return say("The model is {}: {}.", model_name(evidence), shape)
    return say(
        "The model, {}, is small: {}. What holds in it need not hold in a larger one.",
        model_name(evidence),
        shape,
    )
