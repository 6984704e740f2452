"""Experiment 14: is there such a neuron in other models too?"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from analysis import corpus
from analysis.engines.reading import Window, read
from analysis.experiments.comparison.measured import Comparison
from analysis.experiments.direct_effect.compute import DirectEffect, direct_effect
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.experiments.neuron_sweep.measured import NeuronSweep
from analysis.inputs import Inputs
from analysis.neuron import Neuron, parse_neuron
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair
from analysis.scanning.detector import Detector, halfway
from analysis.subject import Subject
from analysis.token_sets import members

SHOWN = 5
"""Neurons told per model: the best one, and the next ones beside it for comparison."""

TEXTS, CHARACTERS = 40, 600
"""How many corpus texts are read, and how much of each: the same characters for every model."""


HUB = (
    *("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "pythia-160m", "pythia-410m"),
    *("qwen2.5-0.5b", "llama-3.2-1b"),
)
"""Models of the catalogue that are compared where the hub can be reached."""

COMPARED = ("smollm2-135m", "gemma-3-270m", *HUB)
"""All that are compared, in this order."""

NOT_IN_STUDY = "not part of this study."
"""Why another one has no row."""

AT_THE_HUB = "waits for a machine that reaches the hub."
"""Why one of the hub has none."""


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
    detector = Detector(subject, neuron, pair.contrast, sign)
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
        **_answers(subject, (pair, *held_out)),
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
    """The row of this model; the others that are compared are named as missing."""
    return joined(row(subject, inputs, progress), ())


def joined(own: Comparison, others: Sequence[Comparison]) -> Comparison:
    """One model's row with those of other studies that asked the same under it.

    Args:
        own: the row of the study's own model, which comes first.
        others: the rows of the other models, in any order.
    """
    known = {name: place for place, name in enumerate(COMPARED)}
    rows = [own, *sorted(others, key=lambda row: known.get(row.models[0], len(known)))]
    present = {row.models[0] for row in rows}
    missing = {
        name: AT_THE_HUB if name in HUB else NOT_IN_STUDY
        for name in COMPARED
        if name not in present
    }
    return together(rows, missing)


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
        "pairs": int(result.pairs[i]),
        "pair_p_target": result.pair_p_target[i],
        "pair_logit_diff": result.pair_logit_diff[i],
        "preferred": result.preferred[i],
        "heard": int(result.heard[i]),
        "neuron": result.neurons[i][0],
        "depth": float(result.depth[i, 0]),
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
    p_target = pair.contrast.shares(reading.logits[ends].softmax(-1))[0]
    activation = reading.activations[neuron.layer][ends, neuron.number].float()
    return p_target.cpu().numpy(), activation.cpu().numpy()


def _answers(subject: Subject, pairs: Sequence[PromptPair]) -> dict[str, Any]:
    """What the model itself answers on all pairs."""
    contrast = pairs[0].contrast
    probabilities, differences = np.zeros((2, len(pairs), 2), dtype=np.float32)
    for i, pair in enumerate(pairs):
        for side, prompt in enumerate((pair.clean, pair.corrupted)):
            logits = subject.logits(prompt.tokens)[-1]
            probabilities[i, side] = contrast.shares(logits.softmax(-1))[0]
            differences[i, side] = contrast.of(logits)
    return {
        "pairs": _one(len(pairs)),
        "pair_p_target": probabilities.mean(0)[None],
        "pair_logit_diff": differences.mean(0)[None],
        "preferred": (differences > 0).sum(0)[None],
        "heard": _one(int((differences[:, 0] > differences[:, 1]).sum())),
    }


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
    others = vocabulary - len(members(effect.target))  # which share one rank, as the target
    place = effect.target_rank if sign > 0 else others + 2 - effect.target_rank
    return {
        "target_rank": _one(place),
        "rank_by_target": _one(by_target),
        "rank_by_difference": _one(by_difference),
    }
