"""The next token and the text that a model writes on, with one neuron's output weights scaled."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from analysis.engines.continuation import continuations, written
from analysis.engines.modulation import Modulator, Setting
from analysis.neuron import Neuron
from analysis.prompts import Prompt
from analysis.subject import Subject

FACTORS = tuple(step / 2 for step in range(-4, 7))
"""From -2 to 3 by halves: 1 leaves the weights as they are, 0 removes them, -1 flips them."""

WRITTEN_FACTORS = (-1.0, 0.0, 1.0, 2.0, 3.0)
SAMPLES = 3

LIKELIEST = 5
"""Next tokens of each factor that are kept."""


def likely_tokens(
    modulator: Modulator, neuron: Neuron, prompt: Prompt
) -> tuple[tuple[str, ...], Float[np.ndarray, "factor token"]]:
    """Next tokens that are among the likeliest under some factor, and their probabilities."""
    runs = modulator.run(prompt.tokens, [Setting(neuron, "out", factor) for factor in FACTORS])
    chances = torch.cat([modulator.logits(resid[:, -1]) for resid in runs]).softmax(-1)
    found = torch.unique(chances.topk(LIKELIEST).indices)
    order = found[chances[:, found].amax(0).argsort(descending=True, stable=True)]
    strings = tuple(map(modulator.subject.string, order.tolist()))
    return strings, chances[:, order].cpu().numpy()


def greedy_texts(
    subject: Subject, neuron: Neuron, prompt: Prompt, length: int, seed: int
) -> tuple[str, ...]:
    """What is written on greedily, factor by factor."""
    new = continuations(subject, prompt.tokens, neuron, FACTORS, length, 1, seed).tolist()
    return tuple(written(subject, texts[0]) for texts in new)


def written_texts(
    subject: Subject, neuron: Neuron, prompts: Sequence[Prompt], length: int, seed: int
) -> dict[str, Any]:
    """What the model writes after every prompt, greedily and sampled, factor by factor."""
    rows = []
    for number, prompt in enumerate(prompts):
        new = continuations(
            subject, prompt.tokens, neuron, WRITTEN_FACTORS, length, SAMPLES, seed
        ).tolist()
        for factor, texts in zip(WRITTEN_FACTORS, new, strict=True):
            for sample, tokens in enumerate(texts):
                first = subject.string(tokens[0]) if tokens else ""
                rows.append((number, factor, sample, first, written(subject, tokens)))
    names = ("prompt", "factor", "sample", "first", "text")
    columns = zip(names, zip(*rows, strict=True), strict=True)
    return {f"written_{name}": column for name, column in columns}
