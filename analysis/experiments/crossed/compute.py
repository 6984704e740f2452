"""Experiment 20: does the neuron follow the rule, the word's look, or the example before it?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from analysis import corpus
from analysis.contrast import Contrast
from analysis.engines.reference_activations import TEXTS, neuron_reference
from analysis.engines.shared_beginning import Ends, Forced, ends
from analysis.experiments.crossed.planned import (
    log_odds,
    plan_passes,
    plan_statistics,
    planned_after,
)
from analysis.experiments.crossed.statistics import own_statistics, statistics
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.numbers.shares import SHARES
from analysis.progress import Progress, part_of, silent
from analysis.prompts import make_prompt
from analysis.questions.factors import Factors
from analysis.result import Result
from analysis.subject import Subject

MEASURES = ("activation", "logit_diff", "ablated")
"""The neuron's activation, the model's logit difference, and that without the neuron."""

FACTORS = ("rule", "cue")
"""What a word calls for, and what it looks like."""

PLAN = ("expected", "expected_beyond_rule", "rule_beyond_expected")
"""What the activation goes with."""

OWN_WORDS = 20
"""Words of either kind, of the question's own, that stand in its own frame."""


@dataclass(frozen=True)
class Crossed(Result):
    """A neuron and the model's answer after every example, in every frame, with every word.

    All values belong to the last position of a prompt. Without the neuron means that its activation
    there is its mean on reference activations. AUCs of a factor compare words that differ in this
    one and not in the other, in one frame, and are averaged over frames. All intervals are 95 %
    bootstrap intervals; frames and words are resampled, but for the question's own words in its own
    frame, where words are.

    Attributes:
        neuron: its name.
        target: the token that the rule puts before the words of one kind.
        foil: the token that it puts before the others.
        rule: what decides, in a word.
        cue: what mostly goes with it, in a word.
        examples: names of what stands before the frames, first that of the question's pair.
        beginnings: the examples before the first frame, as they are read.
        example_has: which of the tokens each example has in it: target, foil, or neither.
        frames: the sentences, ``{}`` where the word stands, first that of the question's pair.
        words: the words.
        kinds: what each word is one of.
        calls_for_target: whether the rule puts the target before it.
        looks_like_target: whether the cue would.
        reference_mean: mean activation on other text, first positions left out.
        values: the three measures, ``MEASURES``; logits, but for the activation.
        own_words: the question's own words, first those that call for the target.
        own_calls_for_target: which these are.
        own_values: the three measures with them in the first frame.
        area: AUC by factor (``FACTORS``), measure and example.
        area_interval: their intervals.
        rule_lead: AUC of the rule less that of the cue after the first example, by measure.
        rule_lead_interval: its intervals, the same frames and words for both.
        drop: AUC of the rule after the first example less that after each, by measure and example.
        drop_interval: its intervals, likewise.
        frame_area: AUC of the rule by measure, example and frame, over words.
        shuffled: the middle 95 % of the AUC of the activation by factor, labels shuffled.
        example_area: chance that a measure is larger after an example with the target than after
            one with the foil, over any two words of a frame; not a number where either is missing.
        example_interval: their intervals.
        own_area: AUC of the rule over the question's own words, by measure and example.
        own_interval: their intervals, over words.
        share: of the variance of the activation, ``SHARES``; not numbers where it does not vary.
        share_interval: their intervals.
        means: mean activation by rule (target first), cue (target first) and example.
        mean_intervals: their intervals.
        instead: the text in the place of target and foil; empty where nothing asks for a plan.
        planned: places of the examples after which it was asked.
        expected: log odds that the next token after it calls for the target, against the foil.
        expected_mass: mean probability of both kinds of tokens together, by example.
        plan: correlation of activation and ``expected`` over the words of a frame; the same with
            the rule held fixed; and that of activation and rule with ``expected`` held fixed.
        plan_interval: their intervals.
    """

    neuron: str
    target: str
    foil: str
    rule: str
    cue: str
    examples: tuple[str, ...]
    beginnings: tuple[str, ...]
    example_has: tuple[str, ...]
    frames: tuple[str, ...]
    words: tuple[str, ...]
    kinds: tuple[str, ...]
    calls_for_target: Bool[np.ndarray, " word"]
    looks_like_target: Bool[np.ndarray, " word"]
    reference_mean: float
    values: Float[np.ndarray, "3 example frame word"]
    own_words: tuple[str, ...]
    own_calls_for_target: Bool[np.ndarray, " own"]
    own_values: Float[np.ndarray, "3 example own"]
    area: Float[np.ndarray, "2 3 example"]
    area_interval: Float[np.ndarray, "2 3 example 2"]
    rule_lead: Float[np.ndarray, "3"]
    rule_lead_interval: Float[np.ndarray, "3 2"]
    drop: Float[np.ndarray, "3 example"]
    drop_interval: Float[np.ndarray, "3 example 2"]
    frame_area: Float[np.ndarray, "3 example frame"]
    shuffled: Float[np.ndarray, "2 example 2"]
    example_area: Float[np.ndarray, "3"]
    example_interval: Float[np.ndarray, "3 2"]
    own_area: Float[np.ndarray, "3 example"]
    own_interval: Float[np.ndarray, "3 example 2"]
    share: Float[np.ndarray, " share"]
    share_interval: Float[np.ndarray, "share 2"]
    means: Float[np.ndarray, "2 2 example"]
    mean_intervals: Float[np.ndarray, "2 2 example 2"]
    instead: str
    planned: tuple[int, ...]
    expected: Float[np.ndarray, "planned frame word"]
    expected_mass: Float[np.ndarray, " planned"]
    plan: Float[np.ndarray, "3"]
    plan_interval: Float[np.ndarray, "3 2"]

    def preferred(self, measure: int) -> Float[np.ndarray, "example 2"]:
        """Share of prompts with the target above the foil, by what the rule calls for."""
        mine = self.calls_for_target
        shares = (self.values[measure] > 0).mean(1)
        return np.stack([shares[:, mine].mean(1), shares[:, ~mine].mean(1)], -1)

    def own_preferred(self, measure: int) -> Int[np.ndarray, "example 2"]:
        """Of the question's own words, after how many the target is above the foil."""
        mine = self.own_calls_for_target
        raised = self.own_values[measure] > 0
        return np.stack([raised[:, mine].sum(1), raised[:, ~mine].sum(1)], -1)


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Crossed:
    """The question's factors crossed, and its own words after every example."""
    question, seed = inputs.question, inputs["seed"]
    assert question.crossed is not None
    own = question.target_words[:OWN_WORDS], question.foil_words[:OWN_WORDS]
    reference = neuron_reference(subject, inputs.neuron, corpus.sample(TEXTS, seed))
    value = float(reference.mean())
    return crossed(
        subject,
        inputs.neuron,
        question.contrast(subject),
        question.crossed,
        own,
        value,
        seed,
        progress,
    )


def summary(result: Crossed) -> dict[str, Any]:
    """The result in plain values: by example, by factor, by frame, and the shares of variance."""
    names = dict(zip(("target", "foil"), (result.target, result.foil), strict=True))
    return {
        "neuron": result.neuron,
        **names,
        "rule": result.rule,
        "cue": result.cue,
        "frames": len(result.frames),
        "words": len(result.words),
        "own_words": len(result.own_words),
        "reference_mean": result.reference_mean,
        "examples": [_example(result, i) for i in range(len(result.examples))],
        "rule_above_cue": {
            name: {"difference": lead, "interval": span}
            for name, lead, span in zip(
                MEASURES, result.rule_lead, result.rule_lead_interval, strict=True
            )
        },
        "after_an_example_with_the_target": {
            name: {"auc": area, "interval": span}
            for name, area, span in zip(
                MEASURES, result.example_area, result.example_interval, strict=True
            )
        },
        "variance": {
            name: {"share": share, "interval": span}
            for name, share, span in zip(SHARES, result.share, result.share_interval, strict=True)
        },
        "plan": {
            "instead": result.instead,
            "mass": result.expected_mass,
            **{
                name: {"correlation": value, "interval": span}
                for name, value, span in zip(PLAN, result.plan, result.plan_interval, strict=True)
            },
        },
        "by_frame": [
            {"frame": frame, **dict(zip(MEASURES, areas, strict=True))}
            for frame, areas in zip(result.frames, result.frame_area[:, 0].T, strict=True)
        ],
    }


def _example(result: Crossed, i: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "example": result.examples[i],
        "text": result.beginnings[i],
        "example_has": result.example_has[i],
    }
    for f, m in product(range(len(FACTORS)), range(len(MEASURES))):
        name = f"{FACTORS[f]}_auc_{MEASURES[m]}"
        row |= {name: result.area[f, m, i], f"{name}_interval": result.area_interval[f, m, i]}
    for m, name in enumerate(MEASURES):
        row |= {f"own_auc_{name}": result.own_area[m, i]}
        row |= {f"own_auc_{name}_interval": result.own_interval[m, i]}
    row |= {"drop_activation": result.drop[0, i]}
    row |= {"drop_activation_interval": result.drop_interval[0, i]}
    for m in (1, 2):
        row[f"preferred_{MEASURES[m]}"] = result.preferred(m)[i]
        row[f"own_preferred_{MEASURES[m]}"] = result.own_preferred(m)[i]
    return row


def crossed(
    subject: Subject,
    neuron: Neuron,
    contrast: Contrast,
    factors: Factors,
    own: tuple[Sequence[str], Sequence[str]],
    value: float,
    seed: int = 0,
    progress: Progress = silent,
) -> Crossed:
    """Read every prompt at its end, with the neuron and without it.

    Args:
        subject: the model.
        neuron: the neuron.
        contrast: target and foil.
        factors: examples, frames and words.
        own: words that go into the first frame alone: those that call for the target, and others.
        value: the neuron's mean elsewhere, which takes the place of its activation.
        seed: of the random draws.
        progress: told the finished fraction.

    Raises:
        UserError: a prompt is longer than the model's context window.
    """
    words = [(word, kind) for kind in factors.words for word in kind.words]
    texts = [word for word, _ in words]
    own_texts = (*own[0], *own[1])
    cells = list(product(factors.examples, factors.frames))
    own_cells = [(example, factors.frames[0]) for example in factors.examples]
    example_has = [factors.says(name, contrast.target, contrast.foil) for name in factors.examples]
    after = planned_after(factors, example_has)
    plan = plan_passes(subject, factors, after)
    read = partial(_read, subject, neuron, contrast, value, factors)
    found = read(cells, texts, plan, part_of(progress, 0.02, 0.9))
    own_values = _measures(read(own_cells, own_texts, {}, part_of(progress, 0.9, 0.97)))
    calls = np.array([kind.calls_for == "target" for _, kind in words])
    looks = np.array([kind.looks_like == "target" for _, kind in words])
    size = len(factors.frames), len(texts)
    table = _measures(found).reshape(3, len(factors.examples), *size)
    after_plan = [end.following for end in found if end.following.size]
    expected, mass = log_odds(np.array(after_plan).reshape(len(after), *size, 2))
    return Crossed(
        neuron=str(neuron),
        target=contrast.target,
        foil=contrast.foil,
        rule=factors.rule,
        cue=factors.cue,
        examples=tuple(factors.examples),
        beginnings=tuple(factors.beginning(name, factors.frames[0]) for name in factors.examples),
        example_has=tuple(example_has),
        frames=factors.frames,
        words=tuple(texts),
        kinds=tuple(kind.kind for _, kind in words),
        calls_for_target=calls,
        looks_like_target=looks,
        reference_mean=value,
        values=table,
        own_words=own_texts,
        own_calls_for_target=np.arange(len(own_texts)) < len(own[0]),
        own_values=own_values,
        instead=factors.plan.instead if factors.plan else "",
        planned=after,
        expected=expected,
        expected_mass=mass,
        **statistics(table, calls, looks, example_has, seed),
        **plan_statistics(table[0][list(after)], expected, calls, looks, seed),
        **own_statistics(own_values, len(own[0]), seed),
    )


def _read(
    subject: Subject,
    neuron: Neuron,
    contrast: Contrast,
    value: float,
    factors: Factors,
    cells: Sequence[tuple[str, str]],
    words: Sequence[str],
    plan: Mapping[str, Forced],
    progress: Progress,
) -> list[Ends]:
    """Every word in every cell: an example and a frame; the plan is asked after some examples."""
    found = []
    for done, (example, frame) in enumerate(cells, start=1):
        texts = [factors.text(example, frame, word) for word in words]
        prompts = [make_prompt(subject, text).tokens for text in texts]
        found.append(ends(subject, prompts, neuron, value, contrast, plan.get(example)))
        progress(done / len(cells))
    return found


def _measures(found: Sequence[Ends]) -> Float[np.ndarray, "3 cell word"]:
    return np.array([[end.activation, end.logit_diff, end.ablated] for end in found]).swapaxes(0, 1)
