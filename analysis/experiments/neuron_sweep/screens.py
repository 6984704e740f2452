"""The bench of screens: estimates of every neuron's patch beside the exact truth of all of them.

``python -m bench.screens`` measures it, on pairs of several questions, and keeps it by model.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from statistics import fmean, median
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

FOLDER = Path(__file__).with_name("benches")
MODEL = "smollm2-135m"
"""The model whose bench is told first, and shown."""

DEFAULT = "attribution"
"""The estimate that a screened sweep ranks by."""

SIZES = (10, 50, 200)
"""Recall is told of so many neurons of the largest effects, in size."""

JUDGED = SIZES[1]
"""By these of them estimates are compared."""


@dataclass(frozen=True)
class Row:
    """One estimate on one pair, or on several pairs of a question averaged.

    Attributes:
        question: name of the question.
        pairs: places of the pairs in it, from 0.
        screen: name of the estimate.
        gap: clean minus corrupted logit difference, averaged over the pairs.
        seconds: CPU time of the estimate.
        exact_seconds: CPU time of patching every neuron.
        recall: for each of ``SIZES``, the share of the neurons of largest effect that are among as
            many of largest estimate.
        missed: the largest effect that is not, in logits; its share of the gap is over ``gap``.
        reach: how many of largest estimate hold all ten, or so many, of largest effect.
    """

    question: str
    pairs: tuple[int, ...]
    screen: str
    gap: float
    seconds: float
    exact_seconds: float
    recall: dict[str, float]
    missed: dict[str, float]
    reach: dict[str, int]

    def until(self, size: int, neurons: int) -> float:
        """CPU seconds until the so many of largest effect are all measured by this screen."""
        return self.seconds + self.reach[str(size)] * self.exact_seconds / neurons


@dataclass(frozen=True)
class Screen:
    """An estimate by which a sweep could be screened, on all pairs.

    Attributes:
        name: of the estimate.
        recall: its mean, for each of ``SIZES``.
        missed: the largest effect missed on any pair in logits, and, of whichever pair, the largest
            as a share of its gap, likewise.
        seconds: CPU time that it takes, the median.
        until: CPU time until all ``JUDGED`` neurons of largest effect are measured, the median.
        times: that, in times of what it takes by the default.
    """

    name: str
    recall: tuple[float, ...]
    missed: tuple[tuple[float, float], ...]
    seconds: float
    until: float
    times: float


@dataclass(frozen=True)
class Bench:
    """All rows: of single pairs, and of the pairs of a question averaged."""

    model: str
    neurons: int
    single: tuple[Row, ...]
    averaged: tuple[Row, ...]

    sizes: ClassVar = SIZES
    judged: ClassVar = JUDGED

    def of(self, screen: str, averaged: bool = False) -> "list[Row]":
        """The rows of one estimate."""
        return [row for row in (self.averaged if averaged else self.single) if row.screen == screen]

    @property
    def screens(self) -> tuple[str, ...]:
        """Names of the estimates."""
        return tuple(dict.fromkeys(row.screen for row in self.single))

    def recall(self, screen: str, size: int, averaged: bool = False) -> float:
        """Mean recall of one estimate."""
        return fmean(row.recall[str(size)] for row in self.of(screen, averaged))

    def missed(self, screen: str, size: int, averaged: bool = False) -> "tuple[float, float]":
        """The largest effect missed on any pair in logits, and the largest share of a gap."""
        rows = self.of(screen, averaged)
        logits = [row.missed[str(size)] for row in rows]
        shares = [m / abs(row.gap) for m, row in zip(logits, rows, strict=True)]
        return max(logits), max(shares)

    def seconds(self, screen: str) -> float:
        """Median CPU time of one estimate."""
        return median(row.seconds for row in self.of(screen))

    def until(self, screen: str, size: int) -> float:
        """Median CPU time until the so many of largest effect are all measured."""
        return median(row.until(size, self.neurons) for row in self.of(screen))

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return len(self.of(DEFAULT))

    @property
    def questions(self) -> int:
        """Of how many questions they are."""
        return len({row.question for row in self.of(DEFAULT)})

    @property
    def exact(self) -> float:
        """Median CPU time of patching every neuron of a pair."""
        return median(row.exact_seconds for row in self.of(DEFAULT))

    @cached_property
    def estimates(self) -> tuple[Screen, ...]:
        """The default, and the others, the soonest first."""
        found = map(self.screen, self.screens)
        return tuple(sorted(found, key=lambda each: (each.name != DEFAULT, each.until)))

    def screen(self, name: str = DEFAULT, averaged: bool = False) -> Screen:
        """One estimate, on single pairs or on those of a question averaged."""
        until = self.until(name, JUDGED)
        return Screen(
            name,
            tuple(self.recall(name, size, averaged) for size in SIZES),
            tuple(self.missed(name, size, averaged) for size in SIZES),
            self.seconds(name),
            until,
            until / self.until(DEFAULT, JUDGED),
        )

    @property
    def wins(self) -> bool:
        """Whether with no other estimate all of them are measured sooner than with the default."""
        return self.winner(JUDGED) == DEFAULT

    def winner(self, size: int) -> str:
        """The estimate with which that takes least."""
        return min(self.screens, key=lambda screen: self.until(screen, size))


def compared(
    effects: Float[np.ndarray, "layer d_mlp"], estimates: Float[np.ndarray, "layer d_mlp"]
) -> "tuple[dict[str, float], dict[str, float], dict[str, int]]":
    """``recall``, ``missed`` and ``reach`` of a row."""
    sizes, rank = np.abs(effects).ravel(), ranks(estimates)
    largest = np.argsort(-sizes, kind="stable")
    recall, missed, reach = {}, {}, {}
    for size in SIZES:
        found = rank[largest[:size]]
        recall[str(size)] = float((found < size).mean())
        missed[str(size)] = float(sizes[largest[:size]][found >= size].max(initial=0.0))
        reach[str(size)] = int(found.max()) + 1
    return recall, missed, reach


def ranks(estimates: Float[np.ndarray, "layer d_mlp"]) -> Int[np.ndarray, " neuron"]:
    """Each neuron's place in order of its estimate, sign aside, from 0."""
    order = np.argsort(-np.abs(estimates), axis=None, kind="stable")
    ranks = np.empty(order.size, dtype=int)
    ranks[order] = np.arange(order.size)
    return ranks


@cache
def kept(model: str = MODEL) -> Bench:
    """What was measured last on a model."""
    document = json.loads((FOLDER / f"{model}.json").read_text(encoding="utf-8"))
    single, averaged = (
        tuple(Row(**{**row, "pairs": tuple(row["pairs"])}) for row in document[kind])
        for kind in ("single", "averaged")
    )
    return Bench(document["model"], document["neurons"], single, averaged)


def models() -> tuple[str, ...]:
    """The models that were measured, the one that is shown first."""
    names = sorted(path.stem for path in FOLDER.glob("*.json"))
    return tuple(sorted(names, key=lambda name: name != MODEL))


def keep(bench: Bench) -> None:
    """Write it down."""
    path = FOLDER / f"{bench.model}.json"
    path.write_text(json.dumps(asdict(bench), indent=1) + "\n", encoding="utf-8")
