"""Experiment 21: does the finding hang on the weights' rounding, or on the prompt's format?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from analysis.engines.redrawing import redraws
from analysis.experiments.robustness.formats import ReadFormats, read_formats
from analysis.experiments.robustness.measured import ANSWERS, Measured, measure
from analysis.inputs import Inputs
from analysis.loading.models import gguf_of
from analysis.loading.quantisation import quantised
from analysis.neuron import Neuron
from analysis.numbers.separation import auc, chance, shuffled, word_interval
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair
from analysis.result import Result
from analysis.subject import Subject

WORDS = 20
"""Words of either kind that stand in the pair's sentence."""


@dataclass(frozen=True)
class Robustness(Result):
    """A neuron's patch with the weights drawn anew, and with the prompts given in other formats.

    Answers are logit differences, ``ANSWERS``: of the clean prompt, of the corrupted one, of the
    corrupted one with the neuron's clean activation (denoised), and of the clean one with its
    corrupted activation (noised), each at the last position. A rank is the neuron's place by
    recovery among those whose estimated recovery is largest and itself. Where the two prompts are
    not told apart, nothing can be recovered: NaN answers, and rank 0.

    Attributes:
        neuron: its name.
        clean: the clean prompt.
        corrupted: the corrupted prompt.
        target: the token asked for.
        foil: the token it competes with.
        screened: how many neurons are measured for a rank.
        quantised: formats in which weights were quantised; empty for a model that was not.
        redrawn: share of the quantised weights whose step is known, and which are drawn anew.
        rounding: what rounding to the nearest step adds to the weights drawn, root mean square,
            as a share of theirs.
        drawn_answers: answers with the weights drawn anew.
        drawn_rank: rank with them.
        drawn_best: name of the neuron that then comes first.
        formats: in which the prompts were given, first as everywhere else.
        missing: formats that this model does not have, or in which the pair is not told apart.
        given: the clean prompt in each format, as the model reads it.
        format_answers: answers in each.
        format_rank: rank in each.
        words: that stand in the pair's sentence; those that call for the target, then the others.
        target_words: how many call for the target.
        values: the neuron's activation and the logit difference at the end of the sentence.
        area: AUC of either: the chance that it is larger for a word that calls for the target.
        area_interval: their 95 % bootstrap intervals over words.
        chance: two-sided p value of either: how often shuffled labels part the words as far.
    """

    neuron: str
    clean: str
    corrupted: str
    target: str
    foil: str
    screened: int
    quantised: tuple[str, ...]
    redrawn: float
    rounding: float
    drawn_answers: Float[np.ndarray, "draw 4"]
    drawn_rank: Int[np.ndarray, " draw"]
    drawn_best: tuple[str, ...]
    formats: tuple[str, ...]
    missing: tuple[str, ...]
    given: tuple[str, ...]
    format_answers: Float[np.ndarray, "format 4"]
    format_rank: Int[np.ndarray, " format"]
    words: tuple[str, ...]
    target_words: int
    values: Float[np.ndarray, "2 format word"]
    area: Float[np.ndarray, "2 format"]
    area_interval: Float[np.ndarray, "2 format 2"]
    chance: Float[np.ndarray, "2 format"]

    @property
    def preferred(self) -> Int[np.ndarray, "format 2"]:
        """After how many words the target is above the foil: of those that call for it, of others.

        By format.
        """
        above = self.values[1] > 0
        size = self.target_words
        return np.stack([above[:, :size].sum(1), above[:, size:].sum(1)], -1)


def recovered(answers: Float[np.ndarray, "*row 4"]) -> Float[np.ndarray, "*row"]:
    """What denoising restores, as a share of clean minus corrupted."""
    clean, corrupted, denoised, _ = np.moveaxis(answers, -1, 0)
    return np.asarray((denoised - corrupted) / (clean - corrupted))


def lost(answers: Float[np.ndarray, "*row 4"]) -> Float[np.ndarray, "*row"]:
    """What noising takes away, as a share of clean minus corrupted."""
    clean, corrupted, _, noised = np.moveaxis(answers, -1, 0)
    return np.asarray((clean - noised) / (clean - corrupted))


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Robustness:
    """The question's pair, on the model drawn anew; its pair and words, in other formats."""
    question = inputs.question
    words = question.target_words[:WORDS], question.foil_words[:WORDS]
    read = read_formats(subject, question, inputs.neuron, words)
    return robustness(
        subject,
        inputs.neuron,
        question.pair(subject),
        read,
        words,
        inputs["draws"],
        inputs["seed"],
        progress,
    )


def robustness(
    subject: Subject,
    neuron: Neuron,
    pair: PromptPair,
    read: ReadFormats,
    words: tuple[Sequence[str], Sequence[str]],
    draws: int,
    seed: int = 0,
    progress: Progress = silent,
) -> Robustness:
    """Patch the neuron in every redraw of the model, beside what the formats gave.

    Args:
        subject: the model.
        neuron: the neuron.
        pair: the question.
        read: pair and words in every format.
        words: those that call for the target, and those that call for the foil.
        draws: how often the weights are drawn anew; never where they were not quantised.
        seed: of the random draws.
        progress: told the finished fraction.

    Raises:
        UserError: the weights are not those of their file.
    """
    rounding = _rounding(subject)
    many = draws if rounding.steps else 0
    drawn: list[Measured] = []
    for done, again in enumerate(redraws(subject, rounding.steps, many, seed)):
        part_of(progress, 0.2, 1.0)(done / many)
        drawn.append(measure(again, neuron, pair, or_none=True))
    progress(1.0)
    size = len(words[0])
    ours, others = read.values[..., :size], read.values[..., size:]
    return Robustness(
        neuron=str(neuron),
        clean=pair.clean.text,
        corrupted=pair.corrupted.text,
        target=pair.contrast.target,
        foil=pair.contrast.foil,
        screened=read.measured[0].screened,
        quantised=rounding.formats,
        redrawn=rounding.known,
        rounding=rounding.size,
        drawn_answers=_stacked(drawn),
        drawn_rank=np.array([each.rank for each in drawn], dtype=int),
        drawn_best=tuple(each.best for each in drawn),
        formats=read.names,
        missing=read.missing,
        given=read.given,
        format_answers=_stacked(read.measured),
        format_rank=np.array([each.rank for each in read.measured], dtype=int),
        words=(*words[0], *words[1]),
        target_words=size,
        values=read.values,
        **of_words(ours, others, seed),
    )


def _stacked(measured: Sequence[Measured]) -> Float[np.ndarray, "row 4"]:
    return np.array([each.answers for each in measured], dtype=np.float32).reshape(-1, len(ANSWERS))


def of_words(
    ours: Float[np.ndarray, "2 format target"],
    others: Float[np.ndarray, "2 format foil"],
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """The fields that tell how well either measure parts words, by format; NaN without words.

    Args:
        ours: activations and logit differences after words that call for the target.
        others: the same after the others.
        seed: of resampled words and of shuffled labels.
    """
    if not (ours.size and others.size):
        empty = np.full(ours.shape[:2], np.nan, np.float32)
        return {"area": empty, "area_interval": np.stack([empty, empty], -1), "chance": empty}
    area, each = auc(ours, others), list(zip(ours, others, strict=True))
    shuffles = [shuffled(a, b, auc, seed) for a, b in each]
    return {
        "area": area,
        "area_interval": np.stack([word_interval(a, b, auc, seed) for a, b in each]),
        "chance": np.stack([chance(*both) for both in zip(area, shuffles, strict=True)]),
    }


@dataclass(frozen=True)
class _Rounding:
    """What is known of how the weights were rounded."""

    steps: Mapping[str, torch.Tensor]
    formats: tuple[str, ...]
    known: float
    size: float


def _rounding(subject: Subject) -> _Rounding:
    """The steps of all quantised weights, and how large the error of rounding is."""
    file = gguf_of(subject.origin)
    if file is None:
        return _Rounding({}, (), 0.0, 0.0)
    parameters = dict(subject.model.named_parameters())
    steps: dict[str, torch.Tensor] = {}
    formats: dict[str, int] = {}
    error = weights = 0.0
    for each in quantised(file, subject.model):
        parameter = parameters[each.name]
        formats[each.format] = formats.get(each.format, 0) + parameter.numel()
        if each.step is not None:
            steps[each.name] = each.step
            error += float(each.step.cpu().double().square().sum()) / 12
            weights += float(parameter.detach().cpu().double().square().sum())
    known = sum(parameters[name].numel() for name in steps)
    return _Rounding(
        steps=steps,
        formats=tuple(sorted(formats, key=lambda name: -formats[name])),
        known=known / sum(formats.values()) if formats else 0.0,
        size=float(np.sqrt(error / weights)) if weights else 0.0,
    )


def summary(result: Robustness) -> dict[str, Any]:
    """The result in plain values: the model as it is, every redraw, every format."""
    return {
        "neuron": result.neuron,
        "target": result.target,
        "foil": result.foil,
        "quantised": list(result.quantised),
        "redrawn": result.redrawn,
        "rounding": result.rounding,
        "screened": result.screened,
        "draws": [
            _row(answers, int(rank)) | {"best": best}
            for answers, rank, best in zip(
                result.drawn_answers, result.drawn_rank, result.drawn_best, strict=True
            )
        ],
        "formats": [_format(result, i) for i in range(len(result.formats))],
        "missing": list(result.missing),
    }


def _row(answers: Float[np.ndarray, "4"], rank: int) -> dict[str, Any]:
    return {
        "recovery": float(recovered(answers)),
        "lost": float(lost(answers)),
        "rank": rank,
        **dict(zip(ANSWERS, answers.tolist(), strict=True)),
    }


def _format(result: Robustness, i: int) -> dict[str, Any]:
    asked = result.preferred[i].tolist() if result.target_words else (None, None)
    return {
        "format": result.formats[i],
        **_row(result.format_answers[i], int(result.format_rank[i])),
        "auc_activation": result.area[0, i],
        "auc_activation_interval": result.area_interval[0, i],
        "auc_activation_p_shuffled": result.chance[0, i],
        "auc_logit_diff": result.area[1, i],
        "auc_logit_diff_interval": result.area_interval[1, i],
        "auc_logit_diff_p_shuffled": result.chance[1, i],
        **dict(zip(("preferred_target", "preferred_foil"), asked, strict=True)),
        "text": result.given[i],
    }
