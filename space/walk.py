"""The study as a walk of six steps: each asks for a guess before it shows what was found."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from markupsafe import Markup

from analysis.experiments.weight_modulation.turns import turns, words
from analysis.neuron import parse_neuron
from analysis.sentences import Sentences
from analysis.sentences import story as template
from analysis.wording import count, factor, percent, plain
from space.sky import FURTHEST, sky
from space.story import Story

CHOICES = 4
BARS = 8
"""At most so many neurons have a bar: all that count, where they are no more."""

THIRDS = ("the first third", "the second third", "the last third")
KINDS = ("an attention layer", "an MLP layer")
COIN = 0.5
"""The AUC of who tells nothing; bars begin there."""

CHANCE = ((COIN, "about like a coin"), (0.75, "half way"), (1.0, "nearly always"))
"""An AUC, and what it would mean."""

WIDTH, HEIGHT = 600, 160
"""Of a drawing, in its own units."""


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its length from 0 to 1, the value as it is written, its colour."""

    label: str
    share: float
    value: str
    kind: str = "other"


@dataclass(frozen=True)
class Line:
    """A curve: its name, its points in the drawing's units, its colour."""

    name: str
    points: str
    kind: str


@dataclass(frozen=True)
class Lines:
    """Curves over the layers, left to right.

    Attributes:
        curves: one or more.
        zero: height of zero in the drawing.
        low: the lowest value, as it is written.
        high: the highest.
    """

    curves: tuple[Line, ...]
    zero: float
    low: str
    high: str


@dataclass(frozen=True)
class Step:
    """One screen of the walk.

    Attributes:
        title: what is done.
        asks: the question.
        choices: what may be guessed.
        right: the number of the right one.
        found: what was found.
        bars: a picture of it.
        lines: another.
    """

    title: Markup
    asks: Markup
    choices: tuple[str, ...]
    right: int
    found: Markup
    bars: tuple[Bar, ...] = ()
    lines: Lines | None = None


def walk(study: Story) -> tuple[Step, ...]:
    """The steps for which the study has a result, in their order."""
    facts = study.claims.study
    said = Sentences(template("walk"), None, study=facts, claims=study.claims)
    return tuple(
        _step(said, name, *show(study.evidence, facts))
        for name, need, show in STEPS
        if study.evidence.has(need)
    )


def _step(said: Sentences, name: str, choices: tuple[str, ...], right: int, picture: Any) -> Step:
    title, asks, found = (getattr(said, f"{name}_{part}") for part in ("title", "asks", "found"))
    shown = {"lines": picture} if isinstance(picture, Lines) else {"bars": picture}
    return Step(title, asks, choices, right, found, **shown)


def _words(at: float, evidence: Any, _facts: Any) -> tuple[tuple[str, ...], int, tuple[Bar, ...]]:
    """Likely words in an order that gives nothing away, and their bars at a factor."""
    result = evidence.weight_modulation
    known = {result.target: "target", result.foil: "foil"}
    turn = next(each for each in turns(result) if each.factor == at)
    rows = sorted(zip(words(result), turn.shares, strict=True), key=lambda row: -row[1])
    bars = tuple(Bar(plain(w), p, percent(p), known.get(w, "other")) for w, p in rows)
    offered = sorted({turn.word, *words(result)[:CHOICES]})
    return tuple(map(plain, offered)), offered.index(turn.word), bars


def _inside(evidence: Any, facts: Any) -> tuple[tuple[str, ...], int, Lines]:
    """In which third of the half layers the lens finds the answer."""
    right = 3 * facts.of.logit_lens.at.step // (len(evidence.logit_lens.labels) - 1)
    return THIRDS, right, lines(evidence.logit_lens.logit_diff, ("target", "foil"))


def _patch(evidence: Any, _facts: Any) -> tuple[tuple[str, ...], int, Lines]:
    """Whether attention or an MLP of some layer recovers most at the last position."""
    result = evidence.patching
    kinds = [result.components.index(name) for name in ("attn_out", "mlp_out")]
    curves = result.restored[kinds, :, -1]
    return KINDS, int(curves.max(1).argmax()), lines(curves, ("foil", "target"), KINDS)


def _find(evidence: Any, facts: Any) -> tuple[tuple[str, ...], int, tuple[Bar, ...]]:
    """How many neurons are notable, among numbers ten times apart."""
    found, neurons = facts.of.neuron_sweep.notable, facts.of.neuron_sweep.neurons
    numbers = [n for n in (found, *(max(found, 1) * 10**k for k in (1, 2, 3))) if n <= neurons]
    recovery = evidence.neuron_sweep.recovery
    shown = min(max(found, FURTHEST), BARS)
    furthest = sky(recovery, evidence.neuron_sweep.exact, shown).furthest
    recovered = [float(recovery[parse_neuron(name, *recovery.shape)]) for name, _ in furthest]
    bars = tuple(
        Bar(name, min(abs(value), 1.0), text, "target" if value >= 0 else "foil")
        for (name, text), value in zip(furthest, recovered, strict=True)
    )
    return tuple(map(count, numbers)), 0, bars


def _fails(_evidence: Any, facts: Any) -> tuple[tuple[str, ...], int, tuple[Bar, ...]]:
    """Which of three measures the AUC on news is nearest to."""
    scan = facts.of.corpus_scan
    own = max(scan.next.auc.mean, 1 - scan.next.auc.mean)
    right = min(range(len(CHANCE)), key=lambda i: abs(CHANCE[i][0] - own))
    areas = (
        (facts.neuron, own, "target"),
        (facts.model, scan.model_next.auc.mean, "other"),
        ("a coin", COIN, "other"),
    )
    bars = tuple(
        Bar(name, max(0.0, (area - COIN) / (1 - COIN)), f"AUC {area:.2f}", kind)
        for name, area, kind in areas
    )
    return tuple(meaning for _, meaning in CHANCE), right, bars


def lines(
    curves: np.ndarray, kinds: tuple[str, str], names: tuple[str, ...] = ("clean", "corrupted")
) -> Lines:
    """Curves in a drawing of fixed size."""
    low, high = min(0.0, float(curves.min())), max(0.0, float(curves.max()))
    across = np.linspace(0, WIDTH, curves.shape[1])
    heights = HEIGHT * (high - curves) / ((high - low) or 1.0)
    drawn = [
        Line(name, " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, row, strict=True)), kind)
        for name, row, kind in zip(names, heights, kinds, strict=False)
    ]
    zero = HEIGHT * high / ((high - low) or 1.0)
    return Lines(tuple(drawn), zero, factor(round(low, 1)), factor(round(high, 1)))


STEPS = (
    ("predict", "weight_modulation", partial(_words, 1.0)),
    ("inside", "logit_lens", _inside),
    ("patch", "patching", _patch),
    ("find", "neuron_sweep", _find),
    ("remove", "weight_modulation", partial(_words, 0.0)),
    ("fails", "corpus_scan", _fails),
)
"""Each by the name of its sentences, the result that it shows, and what makes its picture."""
