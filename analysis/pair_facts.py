"""Whether a pair of prompts leaves anything to explain: what the model answers to both."""

from dataclasses import dataclass
from typing import Any

from analysis.criteria import GAP


@dataclass(frozen=True)
class PairFacts:
    """The model's choice between target and foil after either prompt."""

    clean: float  # logit difference after the clean prompt, after the corrupted one
    corrupted: float
    small: bool  # whether the two hardly differ
    clean_right: bool  # whether the clean prompt's is the target's, the corrupted one's the foil's
    corrupted_right: bool

    @property
    def gap(self) -> float:
        """How far the logit differences are apart."""
        return abs(self.clean - self.corrupted)

    @property
    def little(self) -> bool:
        """Whether the pair leaves little to explain."""
        return self.small or not (self.clean_right and self.corrupted_right)

    @property
    def reversed(self) -> bool:
        """Whether the model prefers the wrong word both times."""
        return not (self.clean_right or self.corrupted_right)

    @property
    def backwards(self) -> bool:
        """Whether the target is the less favoured after the clean prompt."""
        return self.clean < self.corrupted

    def plain(self) -> dict[str, Any]:
        """The verdict and its reasons, for an answer in JSON."""
        return {
            "little_to_explain": self.little,
            "pair": {
                "gap": self.gap,
                "prefers_target_after_clean": self.clean_right,
                "prefers_foil_after_corrupted": self.corrupted_right,
            },
        }


def pair_facts(result: Any) -> PairFacts:
    """Read them off the logit differences of the two prompts of a Result."""
    return of_pair(result.clean_diff, result.corrupted_diff)


def of_pair(clean: float, corrupted: float) -> PairFacts:
    """What the two logit differences leave to explain."""
    return PairFacts(clean, corrupted, abs(clean - corrupted) < GAP, clean > 0, corrupted < 0)


def verdicts(result: Any) -> dict[str, Any]:
    """Whether the pair of a Result leaves anything to explain, in plain values."""
    return pair_facts(result).plain()
