"""Experiment 5b: what does the model answer and write with one neuron's activation exchanged?"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from analysis import corpus
from analysis.contrast import Contrast
from analysis.engines.continuation import continue_rows, written
from analysis.engines.exchange import Answers, answers
from analysis.engines.reference_activations import (
    TEXT_TOKENS,
    TEXTS,
    beginnings,
    reference_activations,
)
from analysis.errors import UserError
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.progress import Progress, silent
from analysis.prompts import Prompt
from analysis.result import Result
from analysis.subject import Subject

SETTINGS = ("untouched", "zero", "mean", "resample", "negate", "factor")
MEASURES = ("logit_diff", "p_target", "p_foil", "kl")
RESAMPLE = SETTINGS.index("resample")

FACTOR, DRAWS, LENGTH = 2.0, 32, 12
LARGEST_FACTOR = 100.0
LIKELIEST = 4
"""How many tokens of every setting are shown."""


KEPT = 48
"""Layers whose activations on news are kept: some megabytes each."""


@dataclass(frozen=True)
class Intervention(Result):
    """One prompt's next token, and what is written on, with a neuron's activation exchanged.

    Settings are ``SETTINGS``, in that order. Measures are ``MEASURES``: logit(target) -
    logit(foil) in logits, the probabilities of target and foil, and the KL divergence from the
    untouched model's next-token distribution, in nats. ``resample`` is the mean over draws.

    Attributes:
        neuron: its name.
        target: the token asked for.
        foil: the token it competes with.
        prompt: the text.
        factor: what the last setting multiplies the activation by.
        activation: the neuron's own at the last position.
        set_to: what it becomes there.
        measures: of the next token.
        drawn: the activation that each draw put in place.
        drawn_measures: the measures after each draw.
        tokens: the likeliest next tokens of every setting, with target and foil; those that are
            likeliest in the untouched model first.
        probabilities: theirs.
        drawn_probabilities: theirs after each draw.
        continuations: what the model writes, the likeliest token each time, with the neuron
            exchanged at every new position too; ``resample`` takes another value at each.
        length: tokens per continuation, unless the model or its context window ends it before.
        reference_tokens: how many tokens of other texts mean and draws were taken from.
    """

    neuron: str
    target: str
    foil: str
    prompt: str
    factor: float
    activation: float
    set_to: Float[np.ndarray, " setting"]
    measures: Float[np.ndarray, "setting measure"]
    drawn: Float[np.ndarray, " draw"]
    drawn_measures: Float[np.ndarray, "draw measure"]
    tokens: tuple[str, ...]
    probabilities: Float[np.ndarray, "setting token"]
    drawn_probabilities: Float[np.ndarray, "draw token"]
    continuations: tuple[str, ...]
    length: int
    reference_tokens: int


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Intervention:
    """The clean prompt with the neuron's activation exchanged for others, drawn from news."""
    question, neuron = inputs.question, inputs.neuron
    return intervention(
        subject,
        neuron,
        question.contrast(subject),
        question.prompt(subject),
        _layer_on_news(subject, neuron.layer, inputs["seed"])[:, neuron.number],
        inputs["factor"],
        inputs["seed"],
        length=inputs["length"],
        progress=progress,
    )


@lru_cache(maxsize=KEPT)
def _layer_on_news(subject: Subject, layer: int, seed: int) -> Float[np.ndarray, "token d_mlp"]:
    """A layer's activations on random news, kept because every neuron of the layer can use them."""
    texts = beginnings(subject, corpus.sample(TEXTS, seed), TEXT_TOKENS)
    rows: np.ndarray = reference_activations(subject, layer, texts).float().cpu().numpy()
    return rows


def summary(result: Intervention) -> dict[str, Any]:
    """The result in plain values; only ``resample`` has a standard deviation, over draws."""
    spread = [math.nan] * len(SETTINGS)
    spread[RESAMPLE] = float(result.drawn_measures[:, 0].std())
    return {
        "neuron": result.neuron,
        "prompt": result.prompt,
        "target": result.target,
        "foil": result.foil,
        "factor": result.factor,
        "activation": result.activation,
        "draws": len(result.drawn),
        "elsewhere": result.reference_tokens,
        "settings": [
            {
                "setting": name,
                "set_to": result.set_to[i],
                **dict(zip(MEASURES, result.measures[i], strict=True)),
                "sd": spread[i],
                "continuation": result.continuations[i],
            }
            for i, name in enumerate(SETTINGS)
        ],
        "tokens": [
            {"token": token, **dict(zip(SETTINGS, shares, strict=True))}
            for token, shares in zip(result.tokens, result.probabilities.T, strict=True)
        ],
    }


def tables(result: Intervention) -> dict[str, Any]:
    """The same for a reader: what is written on has a table of its own."""
    answer = summary(result)
    answer["continuations"] = [
        {"setting": row["setting"], "continuation": row.pop("continuation")}
        for row in answer["settings"]
    ]
    return answer


def intervention(
    subject: Subject,
    neuron: Neuron,
    contrast: Contrast,
    prompt: Prompt,
    reference: Float[np.ndarray, " token"],
    factor: float = FACTOR,
    seed: int = 0,
    draws: int = DRAWS,
    length: int = LENGTH,
    progress: Progress = silent,
) -> Intervention:
    """Exchange one neuron's activation at the end of a prompt, in several ways.

    Zero; its mean over other texts; values drawn from other texts (resample ablation: Chan et al.,
    "Causal scrubbing", 2022); its negative, as the original study did (Miller and Neo, 2023); and
    a multiple of it. What is written on is greedy, with the same exchange at every new position.

    Args:
        subject: the model; it is the same afterwards.
        neuron: the neuron.
        contrast: target and foil.
        prompt: the text.
        reference: its activation on tokens of other texts, their first positions left out.
        factor: of the last setting, at most ``LARGEST_FACTOR`` in size.
        seed: of the draws.
        draws: how many values are drawn for the last position.
        length: tokens to write on.
        progress: told the finished fraction.

    Raises:
        UserError: the factor is out of range, or there is no text to draw from.
    """
    check_factor(factor)
    if not len(reference) or draws < 1:
        raise UserError("There is nothing to draw from: give a longer text and at least one draw.")
    rng = np.random.default_rng(seed)
    drawn, later = rng.choice(reference, draws), rng.choice(reference, max(0, length))
    scale, shift = _rows(subject, float(reference.mean()), drawn, factor)
    found = answers(subject, prompt.tokens, neuron, scale, shift)
    progress(0.3)
    room = min(length, subject.context - len(prompt.tokens))
    texts = _write(subject, neuron, found, scale, shift, later[: max(0, room - 1)], room)
    progress(0.9)
    own = found.activation
    result = Intervention(
        neuron=str(neuron),
        target=contrast.target,
        foil=contrast.foil,
        prompt=prompt.text,
        factor=float(factor),
        activation=own,
        set_to=np.array([own, 0, reference.mean(), drawn.mean(), -own, factor * own], np.float32),
        drawn=drawn.astype(np.float32),
        continuations=texts,
        length=length,
        reference_tokens=len(reference),
        **_answer(subject, contrast, found.logits),
    )
    progress(1.0)
    return result


def check_factor(factor: float) -> None:
    """Refuse a factor that is no number or far out of range.

    Raises:
        UserError: it is.
    """
    if not abs(factor) <= LARGEST_FACTOR:
        raise UserError(
            f"The factor {factor:g} is out of range: give a number from "
            f"-{LARGEST_FACTOR:g} to {LARGEST_FACTOR:g}."
        )


def _rows(
    subject: Subject, mean: float, drawn: Float[np.ndarray, " draw"], factor: float
) -> tuple[Float[Tensor, " row"], Float[Tensor, " row"]]:
    """Scale and shift of the settings, ``resample`` with the first draw, then of other draws."""
    shifts = [0.0, 0.0, mean, drawn[0], 0.0, 0.0, *drawn[1:]]
    scales = [1.0, 0.0, 0.0, 0.0, -1.0, factor, *[0.0] * (len(drawn) - 1)]
    scale, shift = (torch.tensor(row, dtype=torch.float32) for row in (scales, shifts))
    return scale.to(subject.device), shift.to(subject.device)


def _answer(
    subject: Subject, contrast: Contrast, logits: Float[Tensor, "row d_vocab"]
) -> dict[str, Any]:
    """The fields that say what comes next, settings apart from draws."""
    logs = logits.cpu().double().log_softmax(-1)
    pair = torch.stack(contrast.logits(logs), -1)
    kl = (logs[0].exp() * (logs[0] - logs)).sum(-1).clamp_min(0)
    measures = torch.stack([pair[:, 0] - pair[:, 1], *pair.exp().unbind(-1), kl], -1)
    shares = logs.exp()
    chosen = _likeliest(contrast, _settings(shares)[0])
    answer = {"measures": measures, "probabilities": shares[:, chosen]}
    fields: dict[str, Any] = {"tokens": tuple(map(subject.string, chosen))}
    for name, values in answer.items():
        settings, drawn = (part.float().cpu().numpy() for part in _settings(values))
        fields |= {name: settings, f"drawn_{name}": drawn}
    return fields


def _settings(
    rows: Float[Tensor, "row value"],
) -> tuple[Float[Tensor, "setting value"], Float[Tensor, "draw value"]]:
    """Rows by setting, the draws averaged, and the draws."""
    settings = rows[: len(SETTINGS)].clone()
    drawn = torch.cat([rows[[RESAMPLE]], rows[len(SETTINGS) :]])
    settings[RESAMPLE] = drawn.mean(0)
    return settings, drawn


def _likeliest(contrast: Contrast, shares: Float[Tensor, "setting d_vocab"]) -> list[int]:
    """Ids of the likeliest tokens of all settings, target and foil; likeliest untouched first."""
    top = shares.topk(min(LIKELIEST, shares.shape[-1])).indices.flatten().tolist()
    known = shares[0].tolist()
    return sorted({*contrast.targets, *contrast.foils, *top}, key=lambda i: (-known[i], i))


def _write(
    subject: Subject,
    neuron: Neuron,
    found: Answers,
    scale: Float[Tensor, " row"],
    shift: Float[Tensor, " row"],
    drawn: Float[np.ndarray, " step"],
    length: int,
) -> tuple[str, ...]:
    """What is written on under every setting; ``resample`` takes a fresh draw at every step."""
    count = len(SETTINGS)
    if length <= 0:
        return ("",) * count
    found.cache.batch_select_indices(torch.arange(count, device=scale.device))
    shifts = shift[:count, None].repeat(1, len(drawn))
    shifts[RESAMPLE] = torch.as_tensor(drawn).to(shifts)
    rows = continue_rows(
        subject,
        neuron,
        found.cache,
        found.logits[:count].argmax(-1),
        scale[:count],
        shifts,
        lambda logits: logits.argmax(-1),
    )
    return tuple(written(subject, tokens) for tokens in rows.tolist())
