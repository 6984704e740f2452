"""The letters of every token of the clean prompt."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from analysis.inputs import Inputs
from analysis.progress import Progress
from analysis.result import Result
from analysis.subject import Subject


@dataclass(frozen=True)
class ToyExperiment(Result):
    """How long tokens are.

    Attributes:
        tokens: of the prompt.
        letters: of each token.
        least: letters from which a token counts as long.
    """

    tokens: tuple[str, ...]
    letters: Int[np.ndarray, " token"]
    least: int


def run(subject: Subject, inputs: Inputs, _progress: Progress) -> ToyExperiment:
    """Count."""
    tokens = inputs.question.prompt(subject).strings
    letters = np.array([len(token.strip()) for token in tokens])
    return ToyExperiment(tokens, letters, inputs["least"])


def summary(result: ToyExperiment) -> dict[str, Any]:
    """Every token, and the share of long ones."""
    rows = zip(result.tokens, result.letters.tolist(), strict=True)
    return {
        "tokens": [{"token": token, "letters": letters} for token, letters in rows],
        "share": float((result.letters >= result.least).mean()),
    }
