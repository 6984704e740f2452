"""What Results about one pair of prompts have in common, with other pairs that confirm them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from analysis.numbers.estimates import Estimate, ratio
from analysis.prompts import PromptPair
from analysis.result import Result


@dataclass(frozen=True)
class PairResult(Result):
    """A Result about one pair of prompts; its shares are of clean minus corrupted.

    Attributes:
        clean: the clean prompt.
        corrupted: the corrupted prompt.
        target: the token asked for.
        foil: the token it competes with.
        clean_diff: logit difference of the clean prompt.
        corrupted_diff: logit difference of the corrupted prompt.
        held_out: prompt pairs that took no part in any choice, as "clean / corrupted".
        held_out_gap: clean minus corrupted logit difference of these, in logits.
    """

    clean: str
    corrupted: str
    target: str
    foil: str
    clean_diff: float
    corrupted_diff: float
    held_out: tuple[str, ...]
    held_out_gap: Float[np.ndarray, " pair"]

    def over_pairs(self, effects: Float[np.ndarray, " pair"]) -> Estimate:
        """A share over all held-out pairs, sums over sums, with its interval over pairs.

        Args:
            effects: of each pair, in logits.
        """
        return ratio(effects.astype(float), self.held_out_gap.astype(float))


def pair_fields(pair: PromptPair, clean_diff: float, corrupted_diff: float) -> dict[str, Any]:
    """The fields that tell what was asked."""
    return {
        "clean": pair.clean.text,
        "corrupted": pair.corrupted.text,
        "target": pair.contrast.target,
        "foil": pair.contrast.foil,
        "clean_diff": clean_diff,
        "corrupted_diff": corrupted_diff,
    }


def pair_summary(result: PairResult) -> dict[str, Any]:
    """The first of their plain values."""
    return {
        "target": result.target,
        "foil": result.foil,
        "clean_diff": result.clean_diff,
        "corrupted_diff": result.corrupted_diff,
    }
