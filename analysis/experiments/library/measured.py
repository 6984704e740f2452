"""The Result of experiment 19: a row for each question, and the statistics read off it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from analysis.criteria import HALF
from analysis.numbers.estimates import Estimate
from analysis.numbers.statistics import RESAMPLES, ratio_interval
from analysis.result import Result

BEST, SECOND = range(2)
NOTHING = Estimate(np.nan, np.nan, np.nan)


class Needed(NamedTuple):
    """How many neurons take half, with the ends of the interval; 0 where no size does."""

    size: int
    low: int
    high: int


@dataclass(frozen=True)
class Library(Result):
    """What the best single neuron of each question does on pairs that did not choose it.

    A question that the model does not tell apart has nothing but its counts and its gap.

    Attributes:
        model: its name.
        neurons: how many it has.
        vocabulary: how many tokens it knows.
        screen: how many neurons were patched, those that attribution ranks highest.
        sizes: of the sets, in neurons.
        questions: their names.
        titles: what they are called.
        targets: the token asked for.
        foils: the token it competes with; some pairs may have words of their own.
        pairs: of prompts that the model can read.
        told: those that it tells apart by at least ``GAP``; only these are used.
        gap: clean minus corrupted logit difference, the mean over all pairs.
        chosen_on: pairs that chose the neurons, 0 where the question is not told apart.
        best: the neuron that recovers most on these pairs, empty where there is none.
        second: the one that comes next.
        chosen: their recovery on these pairs.
        gaps: clean minus corrupted logit difference of each pair that confirms, NaN beyond.
        effects: what patching either of both alone adds to the corrupted one there, in logits.
        sets: what the first so many neurons add there, patched together: the measured ones by what
            they recover on the pairs that chose, then the others by attribution.
        sign: 1 where the clean prompts raise the best neuron's activation, -1 where they lower it.
        target_rank: rank of the target among the tokens that it writes with that sign, the median
            where pairs have targets of their own; 0 where weights cannot be compared.
        shuffled: recovery of a neuron that was chosen, by attribution, with the two prompts of half
            of the pairs exchanged, on confirming pairs of which half were exchanged too; a value
            for each draw.
        random: recovery, on the pairs that confirm, of the best by attribution of as many random
            neurons as were patched; a value for each draw.
        missing: questions that this model cannot be asked.
        reasons: why, a sentence each.
    """

    model: str
    neurons: int
    vocabulary: int
    screen: int
    sizes: Int[np.ndarray, " size"]
    questions: tuple[str, ...]
    titles: tuple[str, ...]
    targets: tuple[str, ...]
    foils: tuple[str, ...]
    pairs: Int[np.ndarray, " question"]
    told: Int[np.ndarray, " question"]
    gap: Float[np.ndarray, " question"]
    chosen_on: Int[np.ndarray, " question"]
    best: tuple[str, ...]
    second: tuple[str, ...]
    chosen: Float[np.ndarray, "question 2"]
    gaps: Float[np.ndarray, "question pair"]
    effects: Float[np.ndarray, "question 2 pair"]
    sets: Float[np.ndarray, "question size pair"]
    sign: Int[np.ndarray, " question"]
    target_rank: Int[np.ndarray, " question"]
    shuffled: Float[np.ndarray, "question draw"]
    random: Float[np.ndarray, "question draw"]
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def asked(self) -> Bool[np.ndarray, " question"]:
        """The questions that the model tells apart."""
        return self.chosen_on > 0

    @property
    def comparisons(self) -> int:
        """How many questions' intervals hold at once."""
        return max(1, int(self.asked.sum()))

    @property
    def confirmed_on(self) -> Int[np.ndarray, " question"]:
        """How many pairs confirm."""
        return np.isfinite(self.gaps).sum(1)

    def recovery(self, question: int, which: int = BEST) -> Estimate:
        """Of the best neuron or the second, on the pairs that confirm, sums over sums."""
        return self._over_pairs(question, self.effects[question, which])

    def lead(self, question: int) -> Estimate:
        """What the best neuron recovers there more than the second."""
        effects = self.effects[question]
        return self._over_pairs(question, effects[BEST] - effects[SECOND])

    def _over_pairs(self, question: int, effect: Float[np.ndarray, " pair"]) -> Estimate:
        if not self.asked[question]:
            return NOTHING
        kept = np.isfinite(self.gaps[question])
        part, gap = effect[kept], self.gaps[question][kept]
        ends = ratio_interval(part, gap, 0, self.comparisons)
        return Estimate(float(part.sum() / gap.sum()), *ends)

    def curve(self, question: int) -> Float[np.ndarray, " size"]:
        """What the sets recover there."""
        kept = np.isfinite(self.gaps[question])
        if not kept.any():
            return np.full(len(self.sizes), np.nan)
        return self.sets[question][:, kept].sum(1) / self.gaps[question][kept].sum()

    def needed(self, question: int, share: float = HALF) -> Needed:
        """The smallest size whose set recovers the share there, with a bootstrap over pairs."""
        if not self.asked[question]:
            return Needed(0, 0, 0)
        kept = np.isfinite(self.gaps[question])
        gaps, sets = self.gaps[question][kept], self.sets[question][:, kept]
        rows = np.random.default_rng(0).integers(0, len(gaps), (RESAMPLES, len(gaps)))
        recovered = sets[:, rows].sum(-1) / gaps[rows].sum(-1)
        own = _first(self.curve(question)[:, None] >= share)
        tail = 0.025 / self.comparisons
        found = _first(recovered >= share)
        ends = np.quantile(found, [tail, 1 - tail], method="nearest")
        low, high = (self._size(int(end)) for end in ends)
        return Needed(self._size(int(own[0])), low, high)

    def _size(self, place: int) -> int:
        return int(self.sizes[place]) if place < len(self.sizes) else 0


def _first(reached: Bool[np.ndarray, "size sample"]) -> Int[np.ndarray, " sample"]:
    """The first place where it is true; one beyond the last where it never is."""
    return np.where(reached.any(0), reached.argmax(0), len(reached))
