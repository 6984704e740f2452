"""Experiment 13: does the neuron tell other words apart, and in other sentences?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from analysis.contrast import Contrast
from analysis.engines.controls import matched_neurons
from analysis.engines.reading import Window, batches, read
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.numbers.separation import (
    auc,
    auc_differences,
    chance,
    group_means,
    shuffled,
    word_interval,
)
from analysis.progress import Progress, part_of, silent
from analysis.prompts import Prompt, make_prompt
from analysis.result import Result
from analysis.subject import Subject

MATCHED = 50
"""How many neurons of the same layer, the nearest in activation, are asked the same."""


@dataclass(frozen=True)
class Generality(Result):
    """A neuron and the model's answer after two groups of words, in several sentences.

    All values belong to the last position of a prompt, which is a sentence with a word put in. The
    first sentence is the original study's; the others took no part in choosing the neuron.

    Attributes:
        neuron: its name.
        target: the token that the first group of words calls for.
        foil: the token that the second group calls for.
        templates: the sentences, ``{}`` where the word stands.
        target_words: words that take the target.
        foil_words: words that take the foil.
        activation: the neuron's activation, words of the target group first.
        logit_diff: logit(target) - logit(foil), in logits.
        means: mean activation of the target group and of the foil group.
        mean_intervals: 95 % bootstrap intervals of those means, over words.
        diff_means: mean logit difference of both groups, in logits.
        diff_mean_intervals: 95 % bootstrap intervals of those means, over words.
        auc: chance that the activation after a word of the target group is the larger one.
        auc_interval: its 95 % bootstrap interval, over words.
        diff_auc: the same for the model's logit difference.
        diff_auc_interval: its 95 % bootstrap interval, over words.
        shuffled_interval: the middle 95 % of the AUC of the activation with labels shuffled.
        chance: two-sided p value of the AUC against shuffled labels.
        diff_chance: the same for the model's logit difference.
        matched: control neurons of the same layer, the nearest in activation in the first sentence.
        matched_auc: AUC of their activations.
        lead: by how much the neuron's AUC in the first sentence is above that of each of them, both
            read in the direction in which they tell the groups apart.
        lead_interval: their 95 % intervals, which hold for all at once; words are resampled, the
            same for both neurons.
        held_out_auc: mean AUC over the held-out sentences, of the activation and of the logit
            difference; not a number where there are none.
        held_out_interval: their 95 % bootstrap intervals, over words; the sentences are given.
        held_out_shuffled: the middle 95 % of the mean AUC of the activation, labels shuffled.
    """

    neuron: str
    target: str
    foil: str
    templates: tuple[str, ...]
    target_words: tuple[str, ...]
    foil_words: tuple[str, ...]
    activation: Float[np.ndarray, "template word"]
    logit_diff: Float[np.ndarray, "template word"]
    means: Float[np.ndarray, "template 2"]
    mean_intervals: Float[np.ndarray, "template 2 2"]
    diff_means: Float[np.ndarray, "template 2"]
    diff_mean_intervals: Float[np.ndarray, "template 2 2"]
    auc: Float[np.ndarray, " template"]
    auc_interval: Float[np.ndarray, "template 2"]
    diff_auc: Float[np.ndarray, " template"]
    diff_auc_interval: Float[np.ndarray, "template 2"]
    shuffled_interval: Float[np.ndarray, "template 2"]
    chance: Float[np.ndarray, " template"]
    diff_chance: Float[np.ndarray, " template"]
    matched: tuple[str, ...]
    matched_auc: Float[np.ndarray, "template matched"]
    lead: Float[np.ndarray, " matched"]
    lead_interval: Float[np.ndarray, "matched 2"]
    held_out_auc: Float[np.ndarray, "2"]
    held_out_interval: Float[np.ndarray, "2 2"]
    held_out_shuffled: Float[np.ndarray, "2"]


def unsigned_auc(areas: Float[np.ndarray, " *any"]) -> Float[np.ndarray, " *any"]:
    """An AUC read in whichever direction tells the groups apart: from 0.5 to 1."""
    return np.abs(areas - 0.5) + 0.5


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Generality:
    """The question's words in all its sentences, first the one that chose the neuron."""
    question, many = inputs.question, inputs["words"]
    templates = (question.template, *question.held_out_templates)
    words = question.target_words[:many], question.foil_words[:many]
    contrast = question.contrast(subject)
    return generality(subject, inputs.neuron, contrast, templates, words, inputs["seed"], progress)


def summary(result: Generality) -> dict[str, Any]:
    """The result in plain values: every sentence, the held-out ones together, the words."""
    names = ("activation", "logit_diff")
    pairs = zip(names, result.held_out_auc, result.held_out_interval, strict=True)
    return {
        "neuron": result.neuron,
        "target": result.target,
        "foil": result.foil,
        "sign": sign_of(result),
        "templates": [_row(result, i) for i in range(len(result.templates))],
        "held_out": {
            "templates": len(result.templates) - 1,
            **{f"{name}_auc": {"auc": mean, "interval": span} for name, mean, span in pairs},
            "shuffled": result.held_out_shuffled,
        },
        "matched_neurons": [
            {"neuron": name, "auc": area, "lead": lead, "lead_interval": span}
            for name, area, lead, span in zip(
                result.matched,
                result.matched_auc[0],
                result.lead,
                result.lead_interval,
                strict=True,
            )
        ],
        "words": {
            group: [
                {"word": word, "activation": row[0], "logit_diff": row[1]}
                for word, *row in zip(
                    words, result.activation[0, place], result.logit_diff[0, place], strict=True
                )
            ]
            for group, words, place in (
                ("target", result.target_words, slice(len(result.target_words))),
                ("foil", result.foil_words, slice(len(result.target_words), None)),
            )
        },
    }


def sign_of(result: Generality) -> int:
    """Which way words that call for the target move the activation in the pair's sentence."""
    return 1 if result.means[0, 0] >= result.means[0, 1] else -1


def _row(result: Generality, i: int) -> dict[str, Any]:
    def groups(means: np.ndarray, intervals: np.ndarray) -> dict[str, Any]:
        rows = zip(("target", "foil"), means[i], intervals[i], strict=True)
        return {group: {"mean": mean, "interval": interval} for group, mean, interval in rows}

    as_well = unsigned_auc(result.matched_auc[i]) >= unsigned_auc(result.auc)[i]
    falls = int(sign_of(result) < 0)  # then an AUC is read the other way round, as 1 - auc
    return {
        "template": result.templates[i],
        "held_out": i > 0,
        "activation": groups(result.means, result.mean_intervals),
        "logit_diff": groups(result.diff_means, result.diff_mean_intervals),
        "auc": result.auc[i],
        "auc_interval": result.auc_interval[i],
        "auc_signed": abs(result.auc[i] - falls),
        "auc_signed_interval": np.sort(abs(result.auc_interval[i] - falls)),
        "shuffled": result.shuffled_interval[i],
        "p_shuffled": result.chance[i],
        "logit_diff_auc": result.diff_auc[i],
        "logit_diff_auc_interval": result.diff_auc_interval[i],
        "logit_diff_p_shuffled": result.diff_chance[i],
        "matched_with_as_high_an_auc": int(as_well.sum()),
    }


def generality(
    subject: Subject,
    neuron: Neuron,
    contrast: Contrast,
    templates: Sequence[str],
    words: tuple[Sequence[str], Sequence[str]],
    seed: int = 0,
    progress: Progress = silent,
) -> Generality:
    """Put two groups of words into sentences and read the neuron and the answer at their ends.

    Args:
        subject: the model.
        neuron: the neuron.
        contrast: target and foil.
        templates: sentences with ``{}`` for the word, first the one that chose the neuron.
        words: those that call for the target, and those that call for the foil.
        seed: of the random draws.
        progress: told the finished fraction.

    Raises:
        UserError: a sentence is longer than the model's context window.
    """
    everyone = [*words[0], *words[1]]
    rows = [[make_prompt(subject, t.format(word)) for word in everyone] for t in templates]
    matched = matched_neurons(subject, neuron, rows[0], MATCHED)
    chosen = [neuron.number, *(other.number for other in matched)]
    values, diffs = _read(subject, rows, neuron.layer, chosen, contrast, progress)
    size = len(words[0])
    first = values[0].T
    lead, leads = auc_differences(first[:, :size], first[:, size:], seed)
    lead_interval = leads.clip(-1, 1)  # which few words would pass
    return Generality(
        neuron=str(neuron),
        target=contrast.target,
        foil=contrast.foil,
        templates=tuple(templates),
        target_words=tuple(words[0]),
        foil_words=tuple(words[1]),
        activation=values[..., 0],
        logit_diff=diffs,
        matched=tuple(map(str, matched)),
        matched_auc=_areas(np.moveaxis(values[..., 1:], -1, 1), size),
        lead=lead,
        lead_interval=lead_interval,
        **_statistics(values[..., 0], diffs, size, seed),
    )


def _read(
    subject: Subject,
    rows: Sequence[Sequence[Prompt]],
    layer: int,
    chosen: list[int],
    contrast: Contrast,
    progress: Progress,
) -> tuple[Float[np.ndarray, "template word neuron"], Float[np.ndarray, "template word"]]:
    """Chosen neurons' activations and the logit difference at the end of every prompt."""
    prompts = [prompt for row in rows for prompt in row]
    values, diffs = [], []
    for batch in batches(Window(i, 0, prompt.tokens) for i, prompt in enumerate(prompts)):
        reading = read(subject, batch, [layer])
        last = reading.window.bincount().cumsum(0) - 1
        logits = reading.logits[last]
        values.append(reading.activations[layer][last][:, chosen].float())
        diffs.append(contrast.of(logits))
        part_of(progress, 0.15, 0.9)((batch[-1].document + 1) / len(prompts))
    shape = (len(rows), len(rows[0]))
    return (
        torch.cat(values).cpu().numpy().reshape(*shape, len(chosen)),
        torch.cat(diffs).cpu().numpy().reshape(shape),
    )


def _areas(values: Float[np.ndarray, "*row word"], size: int) -> Float[np.ndarray, "*row"]:
    return auc(values[..., :size], values[..., size:])


def _statistics(
    values: Float[np.ndarray, "template word"],
    diffs: Float[np.ndarray, "template word"],
    size: int,
    seed: int,
) -> dict[str, np.ndarray]:
    """Means, AUC and intervals of both measurements, and what shuffled labels make of them."""
    ours, model = ((v[:, :size], v[:, size:]) for v in (values, diffs))
    by_chance = shuffled(*ours, auc, seed)
    return {
        "means": group_means(*ours),
        "mean_intervals": word_interval(*ours, group_means, seed),
        "diff_means": group_means(*model),
        "diff_mean_intervals": word_interval(*model, group_means, seed),
        "auc": auc(*ours),
        "auc_interval": word_interval(*ours, auc, seed),
        "diff_auc": auc(*model),
        "diff_auc_interval": word_interval(*model, auc, seed),
        "shuffled_interval": _middle(by_chance),
        "chance": chance(auc(*ours), by_chance),
        "diff_chance": chance(auc(*model), shuffled(*model, auc, seed)),
        **_held_out(ours, model, by_chance, seed),
    }


def _middle(samples: Float[np.ndarray, " sample *row"]) -> Float[np.ndarray, "*row 2"]:
    bounds = np.quantile(samples, [0.025, 0.975], axis=0)
    return np.moveaxis(bounds, 0, -1).astype(np.float32)


def _held_out(
    ours: tuple[np.ndarray, np.ndarray],
    model: tuple[np.ndarray, np.ndarray],
    by_chance: Float[np.ndarray, "shuffle template"],
    seed: int,
) -> dict[str, np.ndarray]:
    """The AUC averaged over all sentences but the first, for both measurements."""
    if len(ours[0]) < 2:
        none = np.full((2, 2), np.nan, dtype=np.float32)
        return {"held_out_auc": none[0], "held_out_interval": none, "held_out_shuffled": none[0]}

    def mean_area(target: np.ndarray, foil: np.ndarray) -> np.ndarray:
        return np.asarray(auc(target[..., 1:, :], foil[..., 1:, :]).mean(-1))

    both = (ours, model)
    return {
        "held_out_auc": np.array([mean_area(*g) for g in both], dtype=np.float32),
        "held_out_interval": np.stack([word_interval(*g, mean_area, seed) for g in both]),
        "held_out_shuffled": _middle(by_chance[:, 1:].mean(1)),
    }
