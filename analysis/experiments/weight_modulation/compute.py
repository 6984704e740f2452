"""Experiment 12: what happens when a neuron's weights are scaled, or flipped?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from analysis import corpus
from analysis.contrast import Contrast
from analysis.engines.controls import matched_neurons
from analysis.engines.modulation import Modulator, Setting, Weights
from analysis.experiments.weight_modulation.next_words import (
    FACTORS,
    greedy_texts,
    likely_tokens,
    written_texts,
)
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.numbers.statistics import ratio_interval
from analysis.progress import Progress, part_of, silent
from analysis.prompts import Prompt, excerpt, make_prompt
from analysis.result import Result
from analysis.subject import Subject

WEIGHTS: tuple[Weights, ...] = ("out", "in")
CONTROLS, LENGTH = 8, 12
TEXTS, TEXT_TOKENS = 20, 32
"""Texts on which the loss is measured, and tokens of each, by the usual choice."""

TRIED = len(WEIGHTS) * (len(FACTORS) - 1)
"""Changes of one neuron's weights whose loss is compared with that of the unchanged model."""

NAMES = ("clean", "corrupted")


@dataclass(frozen=True)
class WeightModulation(Result):
    """Answer, loss and text of a model with one neuron's weights scaled at every position.

    Scaling the output weights, ``out``, scales what the activation writes. Scaling the input
    weights, ``in``, scales the pre-activations without their biases, of a gated MLP those of gate
    and up projection both; scaling the up projection alone is the same as ``out``.

    Attributes:
        neuron: its name.
        target: the token asked for.
        foil: the token it competes with.
        gated: whether the MLP has a gate and an up projection.
        prompts: the clean prompt, and the corrupted one where there is one.
        weights: which weights are scaled, ``out`` and ``in``.
        factors: what they are scaled by.
        logit_diff: logit(target) - logit(foil) after each prompt, in logits.
        p_target: probability of the target after each prompt.
        likely: the likeliest next tokens after the clean prompt under any factor of the output
            weights, in the order of their largest probability.
        likely_p: their probabilities, factor by factor.
        greedy: what the model writes on greedily after the clean prompt, factor by factor.
        controls: neurons of the same layer, the nearest in activation on the prompts first.
        control_diff: the logit difference with a control scaled instead.
        control_p: the probability of the target with a control scaled instead.
        texts: how many texts of a corpus the loss was measured on.
        tokens: how many of their tokens were predicted.
        loss: mean loss of the unchanged model on them, in nats per token.
        loss_change: what scaling adds to it.
        loss_interval: bootstrap intervals of that, over texts; all of one neuron's hold at once
            with 95 %.
        control_loss_change: the same for the first control; no rows where there is none.
        control_loss_interval: its intervals.
        written_prompt: for every text written, the number of the prompt it follows.
        written_factor: the factor of the output weights under which it was written.
        written_sample: 0 for the greedy text, else the number of the sample.
        written_first: the first token of each text, empty where there is none.
        written_text: what the model wrote.
        written_length: tokens per text, unless the model ends it before.
    """

    neuron: str
    target: str
    foil: str
    gated: bool
    prompts: tuple[str, ...]
    weights: tuple[str, ...]
    factors: tuple[float, ...]
    logit_diff: Float[np.ndarray, "weights factor prompt"]
    p_target: Float[np.ndarray, "weights factor prompt"]
    likely: tuple[str, ...]
    likely_p: Float[np.ndarray, "factor token"]
    greedy: tuple[str, ...]
    controls: tuple[str, ...]
    control_diff: Float[np.ndarray, "control weights factor prompt"]
    control_p: Float[np.ndarray, "control weights factor prompt"]
    texts: int
    tokens: int
    loss: float
    loss_change: Float[np.ndarray, "weights factor"]
    loss_interval: Float[np.ndarray, "weights factor 2"]
    control_loss_change: Float[np.ndarray, "one weights factor"]
    control_loss_interval: Float[np.ndarray, "one weights factor 2"]
    written_prompt: tuple[int, ...]
    written_factor: tuple[float, ...]
    written_sample: tuple[int, ...]
    written_first: tuple[str, ...]
    written_text: tuple[str, ...]
    written_length: int


def run(subject: Subject, inputs: Inputs, progress: Progress) -> WeightModulation:
    """The question's prompts and random news with the neuron's weights scaled."""
    question, seed = inputs.question, inputs["seed"]
    drawn = corpus.sample(inputs["texts"], seed)
    read = [make_prompt(subject, excerpt(subject, text, TEXT_TOKENS)) for _, text in drawn]
    contrast, prompts = question.contrast(subject), question.prompts(subject)
    return weight_modulation(
        subject, inputs.neuron, contrast, prompts, read, seed, inputs["length"], progress
    )


def summary(result: WeightModulation) -> dict[str, Any]:
    """The result in plain values."""
    return {
        "neuron": result.neuron,
        "target": result.target,
        "foil": result.foil,
        "factors": result.factors,
        "weights": result.weights,
        "logit_diff": _curves(result, result.logit_diff),
        "p_target": _curves(result, result.p_target),
        "likely": [
            {"token": token, "probability": chances}
            for token, chances in zip(result.likely, result.likely_p.T, strict=True)
        ],
        "greedy": result.greedy,
        "loss": {
            "unchanged": result.loss,
            "texts": result.texts,
            "tokens": result.tokens,
            **_losses(result, result.loss_change, result.loss_interval),
        },
        "controls": [
            {
                "neuron": name,
                "logit_diff": _curves(result, result.control_diff[i]),
                "p_target": _curves(result, result.control_p[i]),
            }
            for i, name in enumerate(result.controls)
        ],
        "control_loss": [
            _losses(result, change, interval)
            for change, interval in zip(
                result.control_loss_change, result.control_loss_interval, strict=True
            )
        ],
        "continuations": _written(result),
    }


def _curves(result: WeightModulation, values: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    return {
        weights: dict(zip(NAMES, curves.T, strict=False))
        for weights, curves in zip(result.weights, values, strict=True)
    }


def _losses(
    result: WeightModulation, change: np.ndarray, interval: np.ndarray
) -> dict[str, dict[str, np.ndarray]]:
    rows = zip(result.weights, change, interval, strict=True)
    return {weights: {"change": mean, "interval": span} for weights, mean, span in rows}


def _written(result: WeightModulation) -> list[dict[str, Any]]:
    rows = zip(
        result.written_prompt,
        result.written_factor,
        result.written_sample,
        result.written_text,
        strict=True,
    )
    return [
        {"prompt": NAMES[p], "factor": f, "how": f"sample {s}" if s else "greedy", "text": text}
        for p, f, s, text in rows
    ]


def weight_modulation(
    subject: Subject,
    neuron: Neuron,
    contrast: Contrast,
    prompts: Sequence[Prompt],
    texts: Sequence[Prompt],
    seed: int = 0,
    length: int = LENGTH,
    progress: Progress = silent,
) -> WeightModulation:
    """Scale a neuron's output weights, and its input weights, over a range of factors.

    Args:
        subject: the model; its weights stay as they are.
        neuron: the neuron.
        contrast: target and foil.
        prompts: the clean prompt, and the corrupted one where there is one.
        texts: on which the loss is measured, at least two tokens each.
        seed: of the samples and of the bootstrap.
        length: tokens of every text that is written.
        progress: told the finished fraction.
    """
    modulator = Modulator(subject, neuron.layer)
    controls = matched_neurons(subject, neuron, prompts, CONTROLS)
    both = [neuron, *controls]
    diffs, chances = _answers(modulator, both, contrast, prompts, part_of(progress, 0.0, 0.2))
    likely, likely_p = likely_tokens(modulator, neuron, prompts[0])
    losses, sizes = _losses_of(modulator, both[:2], texts, part_of(progress, 0.2, 0.9))
    unchanged = losses[0, 0, FACTORS.index(1.0)]
    change, interval = _changes(losses, sizes, seed)
    result = WeightModulation(
        neuron=str(neuron),
        target=contrast.target,
        foil=contrast.foil,
        gated=subject.family.gated,
        prompts=tuple(prompt.text for prompt in prompts),
        weights=WEIGHTS,
        factors=FACTORS,
        logit_diff=diffs[0],
        p_target=chances[0],
        likely=likely,
        likely_p=likely_p,
        greedy=greedy_texts(subject, neuron, prompts[0], length, seed),
        controls=tuple(map(str, controls)),
        control_diff=diffs[1:],
        control_p=chances[1:],
        texts=len(texts),
        tokens=int(sizes.sum()),
        loss=float(unchanged.sum() / sizes.sum()),
        loss_change=change[0],
        loss_interval=interval[0],
        control_loss_change=change[1:],
        control_loss_interval=interval[1:],
        written_length=length,
        **written_texts(subject, neuron, prompts, length, seed),
    )
    progress(1.0)
    return result


def _settings(neurons: Sequence[Neuron]) -> list[Setting]:
    return [Setting(*setting) for setting in product(neurons, WEIGHTS, FACTORS)]


def _answers(
    modulator: Modulator,
    neurons: Sequence[Neuron],
    contrast: Contrast,
    prompts: Sequence[Prompt],
    progress: Progress,
) -> tuple[
    Float[np.ndarray, "neuron weights factor prompt"],
    Float[np.ndarray, "neuron weights factor prompt"],
]:
    """Logit difference and probability of the target at the end of every prompt."""
    diffs, chances = [], []
    for done, prompt in enumerate(prompts, start=1):
        runs = modulator.run(prompt.tokens, _settings(neurons))
        last = torch.cat([modulator.logits(resid[:, -1]) for resid in runs])
        diffs.append(contrast.of(last))
        chances.append(contrast.shares(last.softmax(-1))[0])
        progress(done / len(prompts))
    shape = (len(neurons), len(WEIGHTS), len(FACTORS), len(prompts))
    first, second = (torch.stack(rows, -1).cpu().numpy() for rows in (diffs, chances))
    return first.reshape(shape), second.reshape(shape)


def _losses_of(
    modulator: Modulator, neurons: Sequence[Neuron], texts: Sequence[Prompt], progress: Progress
) -> tuple[Float[np.ndarray, "neuron weights factor text"], Float[np.ndarray, " text"]]:
    """Summed loss of every text, in nats, and how many tokens of it are predicted."""
    rows = []
    for done, text in enumerate(texts, start=1):
        following = torch.tensor(text.tokens[1:], device=modulator.subject.device)
        runs = modulator.run(text.tokens, _settings(neurons))
        sums = [_summed_loss(modulator.logits(resid[:, :-1]), following) for resid in runs]
        rows.append(torch.cat(sums).cpu().numpy())
        progress(done / len(texts))
    shape = (len(neurons), len(WEIGHTS), len(FACTORS), len(texts))
    sizes = np.array([len(text.tokens) - 1 for text in texts], dtype=np.float64)
    return np.stack(rows, -1).reshape(shape), sizes


def _summed_loss(
    logits: Float[Tensor, "setting pos d_vocab"], following: Tensor
) -> Float[Tensor, " setting"]:
    right = logits.gather(-1, following.expand(len(logits), -1)[..., None])[..., 0]
    return (logits.logsumexp(-1) - right).cpu().double().sum(-1)


def _changes(
    losses: Float[np.ndarray, "neuron weights factor text"],
    sizes: Float[np.ndarray, " text"],
    seed: int,
) -> tuple[
    Float[np.ndarray, "neuron weights factor"], Float[np.ndarray, "neuron weights factor 2"]
]:
    """Mean change of the loss per token against factor 1; a neuron's intervals hold at once."""
    changes = losses - losses[:, :, [FACTORS.index(1.0)]]
    means = changes.sum(-1) / sizes.sum()
    flat = changes.reshape(-1, changes.shape[-1])
    spans = np.array([ratio_interval(row, sizes, seed, TRIED) for row in flat])
    return means.astype(np.float32), spans.reshape(*means.shape, 2).astype(np.float32)
