"""The Result of experiment 19: a row for each question, and the statistics read off it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from analysis.contrast import Contrast
from analysis.criteria import DOCUMENTS, HALF
from analysis.experiments.library.at_once import at_once
from analysis.experiments.library.chance import DRAWS
from analysis.numbers.estimates import Estimate
from analysis.numbers.statistics import RESAMPLES, ratio_interval
from analysis.result import Result
from analysis.scanning.detector import FEWEST
from analysis.subject import Subject

SIZES = (
    *(1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 65, 80, 100),
    *(130, 160, 200, 250, 320, 400, 500, 650, 800, 1000),
)
"""Of the sets of neurons: each about a quarter larger than the last."""

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
        told_apart: those that it tells apart by at least ``GAP``; only these are used.
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
        documents: how many news articles were read, 0 for none. Every second one chose a threshold
            on each best neuron's activation, times its sign, and the others judge it.
        tokens: of the articles that judge, those with a known next one.
        awaited: how many tokens count as the target there: all different ones of the pairs; 0 where
            no articles were read.
        occurrences: tokens that one of these follows: in the articles that chose, and in those that
            judge.
        occurs_in: in how many of these articles they stand.
        threshold: activation times sign from which on the target is expected; not a number where
            the target never came.
        marked: tokens that reach it in the articles that judge.
        precision: of these, the share that the target follows, and its interval's two ends, by
            itself.
        recall: of the target's places, the share that reaches it, and the interval's two ends.
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
    told_apart: Int[np.ndarray, " question"]
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
    documents: int
    tokens: Int[np.ndarray, " question"]
    awaited: Int[np.ndarray, " question"]
    occurrences: Int[np.ndarray, "question 2"]
    occurs_in: Int[np.ndarray, "question 2"]
    threshold: Float[np.ndarray, " question"]
    marked: Int[np.ndarray, " question"]
    precision: Float[np.ndarray, "question 3"]
    recall: Float[np.ndarray, "question 3"]
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def measured(self) -> Bool[np.ndarray, " question"]:
        """The questions that the model tells apart."""
        return self.chosen_on > 0

    @property
    def comparisons(self) -> int:
        """How many questions' intervals hold at once."""
        return max(1, int(self.measured.sum()))

    @property
    def confirmed_on(self) -> Int[np.ndarray, " question"]:
        """How many pairs confirm."""
        return np.isfinite(self.gaps).sum(1)

    @property
    def often(self) -> Bool[np.ndarray, " question"]:
        """Where the target comes often enough, in both halves of the articles, to judge by."""
        enough = (self.occurrences >= FEWEST) & (self.occurs_in >= DOCUMENTS)
        return enough.all(1) & self.measured

    def rate(self, question: int) -> float:
        """Share of all tokens that the target follows, in the articles that judge."""
        return float(self.occurrences[question, 1]) / max(1, int(self.tokens[question]))

    def on_news(self, question: int) -> tuple[Estimate, Estimate]:
        """Precision and recall; the intervals of all questions hold at once."""
        precision, recall = (
            at_once(Estimate(*map(float, values[question])), self.comparisons)
            for values in (self.precision, self.recall)
        )
        return precision, recall

    def recovery(self, question: int, which: int = BEST) -> Estimate:
        """Of the best neuron or the second, on the pairs that confirm, sums over sums."""
        return self._over_pairs(question, self.effects[question, which])

    def lead(self, question: int) -> Estimate:
        """What the best neuron recovers there more than the second."""
        effects = self.effects[question]
        return self._over_pairs(question, effects[BEST] - effects[SECOND])

    def _over_pairs(self, question: int, effect: Float[np.ndarray, " pair"]) -> Estimate:
        if not self.measured[question]:
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
        if not self.measured[question]:
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


def counted(
    subject: Subject,
    contrast: Contrast,
    screen: int,
    gaps: Float[np.ndarray, " pair"],
    told_apart: int,
) -> Library:
    """The row of a question of which nothing but its pairs is known."""
    total = subject.n_layers * subject.d_mlp
    sizes = [each for each in SIZES if each <= total]
    return Library(
        model=subject.origin.name,
        neurons=total,
        vocabulary=subject.d_vocab,
        screen=min(screen, total),
        sizes=np.array(sizes),
        questions=("",),
        titles=("",),
        targets=(contrast.target,),
        foils=(contrast.foil,),
        pairs=one(len(gaps)),
        told_apart=one(told_apart),
        gap=gaps.mean(keepdims=True),
        chosen_on=one(0),
        best=("",),
        second=("",),
        chosen=_none(2),
        gaps=_none(1),
        effects=_none(2, 1),
        sets=_none(len(sizes), 1),
        sign=one(0),
        target_rank=one(0),
        shuffled=_none(DRAWS),
        random=_none(DRAWS),
        documents=0,
        tokens=one(0),
        awaited=one(0),
        occurrences=np.zeros((1, 2), int),
        occurs_in=np.zeros((1, 2), int),
        threshold=_none(),
        marked=one(0),
        precision=_none(3),
        recall=_none(3),
    )


def one(value: int) -> Int[np.ndarray, " 1"]:
    """The value of a single row."""
    return np.array([value])


def _none(*shape: int) -> np.ndarray:
    return np.full((1, *shape), np.nan, np.float32)
