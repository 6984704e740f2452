"""Which neurons write a token rather than another, by their output weights alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.contrast import Contrast, make_contrast
from analysis.errors import UserError
from analysis.inputs import Inputs
from analysis.linearity import check_comparable, comparable, weights_of_sets
from analysis.neuron import Neuron
from analysis.progress import Progress
from analysis.prompts import Prompt
from analysis.result import Result
from analysis.subject import Subject
from analysis.token_sets import BAR


@dataclass(frozen=True)
class Writer:
    """A neuron and what it writes.

    Attributes:
        neuron: its name.
        direction: 1 where it writes the target when its activation is above zero, -1 when below
            (a gated neuron is active both ways).
        logits: per unit of activation that way, final norm's scale left out: target minus foil,
            or target minus the mean of the vocabulary.
    """

    neuron: str
    direction: int
    logits: float


@torch.inference_mode()
def writers(
    subject: Subject,
    contrast: Contrast,
    top: int,
    alone: bool = False,
    prompt: Prompt | None = None,
) -> tuple[Writer, ...]:
    """The neurons that write the target most, strongest first.

    Args:
        subject: the model.
        contrast: target and foil.
        top: how many.
        alone: whether the target is weighed against the mean of the vocabulary, not the foil.
        prompt: at whose end the tokens of sets are weighted, if there are sets.

    Raises:
        UserError: weights of different layers cannot be compared.
    """
    values = written(subject, contrast, alone, prompt).flatten()
    strength = values.abs() if subject.family.gated else values
    best = strength.topk(min(top, len(values))).indices.tolist()
    return tuple(
        Writer(
            neuron=str(Neuron(*divmod(place, subject.d_mlp))),
            direction=1 if values[place] >= 0 or not subject.family.gated else -1,
            logits=float(strength[place]),
        )
        for place in best
    )


@torch.inference_mode()
def written(
    subject: Subject, contrast: Contrast, alone: bool = False, prompt: Prompt | None = None
) -> Float[Tensor, "layer d_mlp"]:
    """What each neuron writes for each unit of activation above zero, as ``writers`` counts it.

    Raises:
        UserError: weights of different layers cannot be compared.
    """
    check_comparable(subject)
    target, foil = contrast.weighted(subject.W_U, weights_of_sets(subject, contrast, prompt))
    rival = subject.W_U.float().mean(1) if alone else foil.float()
    direction = target.float() - rival
    return torch.stack([subject.writes(i).float() @ direction for i in range(subject.n_layers)])


@dataclass(frozen=True)
class Writers(Result):
    """The neurons that write one token most.

    Attributes:
        target: the token.
        foil: the token that it is weighed against; empty where that is the whole vocabulary.
        writers: strongest first.
        frozen_at: the prompt at whose end norms behind the MLPs are frozen, if there are any.
        weighted_at: the prompt after which the tokens of sets are weighted, if there are sets.
    """

    target: str
    foil: str
    writers: tuple[Writer, ...]
    frozen_at: str = ""
    weighted_at: str = ""

    def save(self, folder: Path | str) -> None:
        """Never: it is read off the weights in no time, and its summary is JSON.

        Raises:
            UserError: always.
        """
        raise UserError("A list of writers is not saved: keep its summary, or what --json prints.")


def writers_of(
    subject: Subject,
    contrast: Contrast,
    top: int,
    alone: bool = False,
    prompt: Prompt | None = None,
) -> Writers:
    """The same with the question beside it."""
    foil = "" if alone else contrast.foil
    found = writers(subject, contrast, top, alone, prompt)
    at = prompt.text if contrast.has_sets and prompt is not None else ""
    return Writers(contrast.target, foil, found, subject.frozen_at, at)


def run(subject: Subject, inputs: Inputs, _progress: Progress) -> Writers:
    """The neurons that write a token most, or the target rather than the foil."""
    question, token, top = inputs.question, inputs["token"], inputs["top"]
    subject = comparable(subject, question)
    if token is None:
        prompt = question.prompt(subject) if question.clean else None
        contrast = question.contrast(subject)
        contrast.check_next("'Neurons that write a token'")
        return writers_of(subject, contrast, top, prompt=prompt)
    contrast = make_contrast(subject, token, _another(subject, token))
    return writers_of(subject, contrast, top, alone=True)


def _another(subject: Subject, token: str) -> str:
    """Any other token, since a contrast has two; what is weighed against all others ignores it."""
    texts = ((each, subject.string(each)) for each in range(subject.d_vocab))
    return next(
        text
        for each, text in texts
        if subject.pieces(text) == [each] and BAR not in text and text not in token
    )


def summary(found: Writers) -> dict[str, Any]:
    """The neurons in plain values.

    ``logits`` are for each unit of activation above zero: negative where a neuron writes the target
    when its activation is below.
    """
    return {
        "target": found.target,
        "foil": found.foil or None,
        "neurons": [
            {"neuron": writer.neuron, "logits": writer.logits * writer.direction}
            for writer in found.writers
        ],
        "frozen_at": found.frozen_at or None,
    }
