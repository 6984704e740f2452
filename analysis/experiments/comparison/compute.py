"""Experiment 14: is there such a neuron in other models too?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from analysis import corpus
from analysis.engines.reading import Window, read
from analysis.experiments.direct_effect.compute import DirectEffect, direct_effect
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.experiments.neuron_sweep.measured import NeuronSweep
from analysis.inputs import Inputs
from analysis.loading.models import CATALOGUE
from analysis.neuron import Neuron, parse_neuron
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair
from analysis.result import Result
from analysis.scanning.detector import Detector, halfway
from analysis.subject import Subject

SHOWN = 5
"""Neurons told per model: the best one, and the next ones beside it for comparison."""

TEXTS, CHARACTERS = 40, 600
"""How many corpus texts are read, and how much of each: the same characters for every model."""


NOT_ASKED = "not part of this study."
"""Why the other models of the catalogue have no row."""


@dataclass(frozen=True)
class Comparison(Result):
    """The same question put to several models: the best neuron of each, checked four ways.

    The neuron is chosen on one pair of prompts and confirmed on others. One entry a model in every
    tuple and along the first axis of every array.

    Attributes:
        clean: the clean prompt.
        corrupted: the corrupted prompt.
        target: the token asked for.
        foil: the token it competes with.
        texts: number of corpus texts read; every other one chose the threshold.
        models: names of the models that ran.
        sources: where each came from.
        layers: number of blocks.
        d_model: width of the residual stream.
        d_mlp: neurons per MLP.
        measured: neurons whose recovery was measured by patching; the rest were screened out.
        p_target: probability of the target after the clean and the corrupted prompt.
        logit_diff: logit(target) - logit(foil) after the clean and the corrupted prompt, in logits.
        neurons: the best measured neurons of each model, best first.
        recovery: their recovery on the pair that chose them, NaN where a model has fewer.
        held_out_pairs: pairs that took no part in the choice.
        held_out: recovery over those pairs together, NaN where there are none.
        held_out_low: lower end of its 95 % bootstrap interval, NaN where there is none.
        held_out_high: upper end of that interval.
        sign: 1 where the clean prompt raises the best neuron's activation, -1 where it lowers it.
        activation: the best neuron's activation at the end of the clean and the corrupted prompt.
        target_rank: rank of the target among the tokens it writes, with that sign.
        rank_by_target: its rank among all neurons by direct effect on the target, with that sign.
        rank_by_difference: the same by target minus foil.
        threshold: activation, times ``sign``, that best told the target's coming (F1) on the texts
            that chose it; ``halfway`` where it came too rarely there to choose.
        chosen_on: tokens of those texts that the target follows.
        tokens: tokens of the other texts, on which all that follows is counted.
        followed: those that the target follows.
        active: those on which the neuron reaches the threshold.
        active_followed: both.
        foreseen: those after which the target is the model's own first choice.
        foreseen_followed: both that and followed by it.
        shares: precision and recall of the neuron, then of the model's own first choice, each with
            the ends of its 95 % interval, in which texts are the sample.
        missing: names of the models that were not run.
        reasons: why, a sentence each.
    """

    clean: str
    corrupted: str
    target: str
    foil: str
    texts: int
    models: tuple[str, ...]
    sources: tuple[str, ...]
    layers: Int[np.ndarray, " model"]
    d_model: Int[np.ndarray, " model"]
    d_mlp: Int[np.ndarray, " model"]
    measured: Int[np.ndarray, " model"]
    p_target: Float[np.ndarray, "model prompt"]
    logit_diff: Float[np.ndarray, "model prompt"]
    neurons: tuple[tuple[str, ...], ...]
    recovery: Float[np.ndarray, "model neuron"]
    held_out_pairs: Int[np.ndarray, " model"]
    held_out: Float[np.ndarray, "model neuron"]
    held_out_low: Float[np.ndarray, "model neuron"]
    held_out_high: Float[np.ndarray, "model neuron"]
    sign: Int[np.ndarray, " model"]
    activation: Float[np.ndarray, "model prompt"]
    target_rank: Int[np.ndarray, " model"]
    rank_by_target: Int[np.ndarray, " model"]
    rank_by_difference: Int[np.ndarray, " model"]
    threshold: Float[np.ndarray, " model"]
    chosen_on: Int[np.ndarray, " model"]
    tokens: Int[np.ndarray, " model"]
    followed: Int[np.ndarray, " model"]
    active: Int[np.ndarray, " model"]
    active_followed: Int[np.ndarray, " model"]
    foreseen: Int[np.ndarray, " model"]
    foreseen_followed: Int[np.ndarray, " model"]
    shares: Float[np.ndarray, "model 4 3"]
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def n_neurons(self) -> Int[np.ndarray, " model"]:
        """Neurons of each model."""
        return self.layers * self.d_mlp


def comparison(
    subject: Subject,
    pair: PromptPair,
    held_out: Sequence[PromptPair],
    texts: Sequence[tuple[int, str]],
    screen: int,
    seed: int = 0,
    progress: Progress = silent,
) -> Comparison:
    """One model's row: its best neuron, found on the pair and confirmed elsewhere.

    Args:
        subject: the model.
        pair: the question, on which the neuron is chosen.
        held_out: pairs that confirm the choice.
        texts: (number, text) of corpus texts. Every other one, from the first on, chooses the
            threshold from which the neuron counts as active; the others measure its precision and
            recall as a sign that the target comes next.
        screen: 0 patches every neuron; K only the K best by attribution.
        seed: of all random draws.
        progress: told the finished fraction.
    """
    sweep = neuron_sweep(
        subject, pair, held_out, screen=screen, seed=seed, progress=part_of(progress, 0.0, 0.6)
    )
    neuron = parse_neuron(sweep.candidates[0], subject.n_layers, subject.d_mlp)
    p_target, activation = _at_the_ends(subject, pair, neuron)
    sign = int(np.sign(activation[0] - activation[1]) or np.sign(activation[0]) or 1)
    effect = direct_effect(subject, neuron, pair.contrast, seed, pair.clean)
    detector = Detector(subject, neuron, pair.contrast.target_id, sign)
    default = halfway(*(sign * activation).tolist())
    detected = detector.detect(texts, default, part_of(progress, 0.6, 1.0))
    counts: dict[str, Any] = {name: np.array([value]) for name, value in vars(detected).items()}
    return Comparison(
        clean=pair.clean.text,
        corrupted=pair.corrupted.text,
        target=pair.contrast.target,
        foil=pair.contrast.foil,
        texts=len(texts),
        models=(subject.origin.name,),
        sources=(subject.origin.source,),
        layers=_one(subject.n_layers),
        d_model=_one(subject.d_model),
        d_mlp=_one(subject.d_mlp),
        p_target=p_target[None],
        activation=activation[None],
        sign=_one(sign),
        **_from_sweep(sweep),
        **_ranks(effect, sign, subject.d_vocab),
        **counts,
    )


def beginnings(texts: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """The beginning of each numbered text, cut at a word."""
    return [
        (number, text if len(text) <= CHARACTERS else text[:CHARACTERS].rsplit(" ", 1)[0])
        for number, text in texts
    ]


def together(rows: Sequence[Comparison], missing: Mapping[str, str]) -> Comparison:
    """Rows of several models under each other, and the models that are missing with the reason.

    Models that share a name are told apart by their place.
    """
    joined: dict[str, Any] = {}
    for field in fields(Comparison):
        values = [getattr(row, field.name) for row in rows]
        if isinstance(values[0], np.ndarray):
            joined[field.name] = np.concatenate(values)
        elif isinstance(values[0], tuple):
            joined[field.name] = tuple(item for value in values for item in value)
    names = joined["models"]
    joined["models"] = tuple(
        name if names.count(name) == 1 else f"{name} (#{place})"
        for place, name in enumerate(names, 1)
    )
    joined |= {"missing": tuple(missing), "reasons": tuple(missing.values())}
    return replace(rows[0], **joined)


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Comparison:
    """The row of this model; the others of the catalogue are named as not asked."""
    others = [entry.name for entry in CATALOGUE if entry.name != subject.origin.name]
    return together([row(subject, inputs, progress)], dict.fromkeys(others, NOT_ASKED))


def row(subject: Subject, inputs: Inputs, progress: Progress = silent) -> Comparison:
    """The row of one model."""
    question, seed = inputs.question, inputs["seed"]
    return comparison(
        subject,
        question.pair(subject),
        question.held_out_pairs(subject, inputs["held_out"]),
        beginnings(corpus.sample(TEXTS, seed)),
        inputs["screen"],
        seed,
        progress,
    )


def summary(result: Comparison) -> dict[str, Any]:
    """One row of plain values a model, and the models that are missing."""
    missing = zip(result.missing, result.reasons, strict=True)
    return {
        "target": result.target,
        "foil": result.foil,
        "texts": result.texts,
        "models": [_row(result, i) for i in range(len(result.models))],
        "missing": [{"name": name, "reason": reason} for name, reason in missing],
    }


def _row(result: Comparison, i: int) -> dict[str, Any]:
    recovered = zip(result.recovery[i], result.held_out[i], result.neurons[i], strict=False)
    counts = {
        name: int(getattr(result, name)[i])
        for name in (
            *("target_rank", "rank_by_target", "rank_by_difference", "sign", "held_out_pairs"),
            *("chosen_on", "tokens", "followed", "active", "foreseen"),
        )
    }
    return {
        "name": result.models[i],
        "source": result.sources[i],
        "layers": int(result.layers[i]),
        "d_model": int(result.d_model[i]),
        "d_mlp": int(result.d_mlp[i]),
        "n_neurons": int(result.n_neurons[i]),
        "measured": int(result.measured[i]),
        "p_target": result.p_target[i],
        "logit_diff": result.logit_diff[i],
        "neuron": result.neurons[i][0],
        "recovery": float(result.recovery[i, 0]),
        "held_out": float(result.held_out[i, 0]),
        "held_out_interval": (float(result.held_out_low[i, 0]), float(result.held_out_high[i, 0])),
        "next": [
            {"neuron": n, "recovery": float(r), "held_out": float(h)} for r, h, n in recovered
        ][1:],
        "activation": result.activation[i],
        **counts,
        "threshold": float(result.threshold[i]),
        **_shares(result, i),
    }


def _shares(result: Comparison, i: int) -> dict[str, Any]:
    """Precision and recall of the neuron, and of the model's own first choice, with intervals."""
    names = ("precision", "recall", "model_precision", "model_recall")
    found: dict[str, Any] = {}
    for name, (value, low, high) in zip(names, result.shares[i].tolist(), strict=True):
        found |= {name: value, f"{name}_interval": (low, high)}
    return found


def _one(value: float) -> np.ndarray:
    return np.array([value])


def _at_the_ends(
    subject: Subject, pair: PromptPair, neuron: Neuron
) -> tuple[Float[np.ndarray, " prompt"], Float[np.ndarray, " prompt"]]:
    """P(target) and the neuron's activation at the end of the clean and the corrupted prompt."""
    prompts = (pair.clean, pair.corrupted)
    batch = tuple(Window(i, 0, prompt.tokens) for i, prompt in enumerate(prompts))
    reading = read(subject, batch, [neuron.layer])
    ends = reading.window.bincount().cumsum(0) - 1
    p_target = reading.logits[ends].softmax(-1)[:, pair.contrast.target_id]
    activation = reading.activations[neuron.layer][ends, neuron.number].float()
    return p_target.cpu().numpy(), activation.cpu().numpy()


def _from_sweep(sweep: NeuronSweep) -> dict[str, Any]:
    """The best neurons: recovery where they were chosen, and where they were not."""
    names = sweep.candidates[:SHOWN]
    rows = np.full((4, 1, SHOWN), np.nan, dtype=np.float32)
    for i, name in enumerate(names):
        rows[0, 0, i] = sweep.recovery[parse_neuron(name, *sweep.recovery.shape)]
    for i, estimate in enumerate(sweep.held_out_recovery[: len(names)]):
        rows[1:, 0, i] = estimate
    return {
        "neurons": (names,),
        **dict(zip(("recovery", "held_out", "held_out_low", "held_out_high"), rows, strict=True)),
        "held_out_pairs": _one(len(sweep.held_out_gap)),
        "measured": _one(int(sweep.exact.sum())),
        "logit_diff": np.array([[sweep.clean_diff, sweep.corrupted_diff]], dtype=np.float32),
    }


def _ranks(effect: DirectEffect, sign: int, vocabulary: int) -> dict[str, Any]:
    """Ranks in the direction in which the neuron is used."""
    by_target, by_difference = effect.ranks(sign)
    place = effect.target_rank if sign > 0 else vocabulary + 1 - effect.target_rank
    return {
        "target_rank": _one(place),
        "rank_by_target": _one(by_target),
        "rank_by_difference": _one(by_difference),
    }
