"""Experiment 7: on which tokens is a neuron active?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from analysis import corpus
from analysis.contrast import Contrast
from analysis.engines.reading import Window, batches, read
from analysis.inputs import Inputs
from analysis.neuron import Neuron
from analysis.progress import Progress, silent
from analysis.prompts import Prompt, excerpt, make_prompt
from analysis.result import Result
from analysis.subject import Subject


@dataclass(frozen=True)
class Activations(Result):
    """A neuron's activation on every token of some texts, and what the model predicts there.

    Values of all texts stand one after the other; ``lengths`` tells where each text ends.

    Attributes:
        neuron: its name.
        target: the token asked for.
        texts: the texts asked about.
        random_texts: how many texts at the end were drawn at random, for comparison.
        lengths: tokens per text.
        tokens: every token as text.
        activations: the input of the MLP's output weights (for a gated MLP act(gate) * up).
        p_target: probability of the target as the next token.
        next_is_target: 1 where the text's own next token is the target.
    """

    rounded = ("activations", "p_target")

    neuron: str
    target: str
    texts: tuple[str, ...]
    random_texts: int
    lengths: tuple[int, ...]
    tokens: tuple[str, ...]
    activations: Float[np.ndarray, " token"]
    p_target: Float[np.ndarray, " token"]
    next_is_target: Float[np.ndarray, " token"]

    def text(self, index: int) -> slice:
        """Where the tokens of one text stand."""
        end = sum(self.lengths[: index + 1])
        return slice(end - self.lengths[index], end)

    @property
    def random(self) -> slice:
        """Where the tokens of all randomly drawn texts stand."""
        return slice(sum(self.lengths[: len(self.lengths) - self.random_texts]), None)


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Activations:
    """The neuron in a text or the clean prompt, in the corrupted one, and in random news."""
    question, text = inputs.question, inputs["text"]
    first = question.prompt(subject) if text is None else make_prompt(subject, text, "text")
    corrupted = question.corrupted
    others = [make_prompt(subject, corrupted, "corrupted prompt")] if corrupted else []
    drawn = corpus.sample(inputs["random_texts"], inputs["seed"])
    length = inputs["random_tokens"]
    unrelated = [make_prompt(subject, excerpt(subject, each, length)) for _, each in drawn]
    contrast = question.contrast(subject)
    return activations(subject, inputs.neuron, contrast, (first, *others), unrelated, progress)


def summary(result: Activations) -> dict[str, Any]:
    """The first text, token by token, in plain values."""
    where = result.text(0)
    return {
        "neuron": result.neuron,
        "tokens": result.tokens[where],
        "activations": result.activations[where].tolist(),
        "p_target": result.p_target[where].tolist(),
    }


def activations(
    subject: Subject,
    neuron: Neuron,
    contrast: Contrast,
    texts: Sequence[Prompt],
    random_texts: Sequence[Prompt] = (),
    progress: Progress = silent,
) -> Activations:
    """Read one neuron on every token of the texts asked about and of randomly drawn ones."""
    prompts = [*texts, *random_texts]
    rows, done = [], 0
    for batch in batches(Window(i, 0, prompt.tokens) for i, prompt in enumerate(prompts)):
        rows.append(_read(subject, neuron, contrast, batch))
        done += len(batch)
        progress(done / len(prompts))
    values, p_target, following = (np.concatenate(column) for column in zip(*rows, strict=True))
    return Activations(
        neuron=str(neuron),
        target=contrast.target,
        texts=tuple(prompt.text for prompt in texts),
        random_texts=len(random_texts),
        lengths=tuple(len(prompt.tokens) for prompt in prompts),
        tokens=tuple(string for prompt in prompts for string in prompt.strings),
        activations=values,
        p_target=p_target,
        next_is_target=following,
    )


def _read(
    subject: Subject, neuron: Neuron, contrast: Contrast, batch: tuple[Window, ...]
) -> tuple[Float[np.ndarray, " token"], Float[np.ndarray, " token"], Float[np.ndarray, " token"]]:
    """Activation, probability of the target, and whether it really follows, token by token."""
    reading = read(subject, batch, [neuron.layer])
    likely = contrast.logits(reading.logits)[0] - reading.logits.logsumexp(-1)
    columns = (
        reading.activations[neuron.layer][:, neuron.number],
        likely.exp(),
        contrast.is_target(reading.following),
    )
    values, p_target, following = (column.float().cpu().numpy() for column in columns)
    return values, p_target, following
