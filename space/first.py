"""The first screen: complete in the page as it is served, from the committed study, before a click.

It says what the study found, lets the neuron be turned through precomputed answers, and shows every
neuron of the model as a dot. Nothing is computed when it is shown.
"""

from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from analysis import questions
from analysis.evidence import NEURON
from analysis.experiments.weight_modulation.turns import Turn, turns, words
from analysis.wording import factor, percent, plain
from analysis.wording import number as written
from space.sky import STEP, Sky, sky
from space.story import Story, opening, story
from space.suggestions import Suggestion, suggestions
from space.terms import terms
from space.view import pair_of
from space.walk import Step, walk

PALE = 0.08
"""A token's value is shown from this share of the largest on."""


@dataclass(frozen=True)
class Token:
    """One token of the clean prompt: as it is shown, and what the neuron does on it.

    Attributes:
        gap: the white space before it.
        text: the rest of it.
        value: the neuron's activation.
        share: of the largest activation, with its sign.
        shown: whether the value is printed.
    """

    gap: str
    text: str
    value: float
    share: float
    shown: bool


@dataclass(frozen=True)
class Screen:
    """All that the first screen shows of a study."""

    model: str
    neuron: str
    target: str
    foil: str
    tokens: tuple[Token, ...]
    words: tuple[str, ...]
    turns: tuple[Turn, ...]
    start: int
    most: float
    question: dict[str, str]
    seen: Markup
    sky: Sky

    @property
    def kinds(self) -> dict[str, str]:
        """Whether a word that is shown is the target, the foil, or another."""
        known = {self.target: "target", self.foil: "foil"}
        return {word: known.get(word, "other") for word in self.words}

    @property
    def turn(self) -> Turn:
        """The model as it is."""
        return self.turns[self.start]

    @property
    def turned(self) -> float:
        """How far the slider is turned at first, of the furthest that it goes."""
        return self.turn.factor / max(abs(turn.factor) for turn in self.turns)

    @property
    def written(self) -> tuple[str, ...]:
        """Every text that the slider can show: the page keeps room for the longest."""
        return tuple(dict.fromkeys(self.prompt + in_text(t.word + t.rest) for t in self.turns))

    @property
    def prompt(self) -> str:
        """The clean prompt as it is shown."""
        return "".join(token.gap + token.text for token in self.tokens)

    @property
    def data(self) -> dict[str, Any]:
        """What the slider and the dots need, in plain values."""
        return {
            "turns": [_setting(turn) for turn in self.turns],
            "kinds": {plain(word): kind for word, kind in self.kinds.items()},
            "neuron": self.neuron,
            "question": self.question,
            "step": STEP,
            "sky": asdict(self.sky),
        }


@dataclass(frozen=True)
class First:
    """The whole first screen: what is known, the study's picture if there is one, and the form."""

    lede: Markup
    screen: Screen | None
    steps: tuple[Step, ...]
    suggestions: tuple[Suggestion, ...]

    @property
    def offers(self) -> tuple[Suggestion, ...]:
        """Those that bring words of their own."""
        return tuple(each for each in self.suggestions if each.target)

    @property
    def data(self) -> dict[str, Any]:
        """All that the page's script needs, in plain values."""
        screen = self.screen.data if self.screen else {}
        offered = [asdict(each) for each in self.suggestions]
        return {**screen, "suggestions": offered, "terms": terms()}


@cache
def first(model: str) -> First:
    """The first screen of an app that opens a model."""
    return first_of(story(model), opening(model))


def first_of(study: Story | None, lede: Markup) -> First:
    """The first screen with a study's picture, if there is a study that has what it shows.

    Args:
        study: of the model.
        lede: what is known, in a sentence.
    """
    offered = suggestions(questions.default())
    if study is None or not _has_all(study):
        return First(lede, None, (), offered)
    return First(lede, _screen(study), walk(study), offered)


def _has_all(study: Story) -> bool:
    return study.evidence.has(NEURON, "weight_modulation", "activations")


def _screen(study: Story) -> Screen:
    evidence, claims = study.evidence, study.claims
    result = evidence.weight_modulation
    peak = float(np.abs(_activations(evidence.activations)).max())
    start, shown = result.factors.index(1.0), turns(result)
    order = np.argsort([-share for share in shown[start].shares], kind="stable")
    return Screen(
        model=claims.study.model,
        neuron=evidence.neuron,
        target=result.target,
        foil=result.foil,
        tokens=_tokens(evidence.activations),
        words=tuple(words(result)[i] for i in order),
        turns=tuple(replace(each, shares=tuple(each.shares[i] for i in order)) for each in shown),
        start=start,
        most=peak * max(map(abs, result.factors)),
        question={"question": evidence.question.name, **pair_of(evidence.question)},
        seen=Markup(claims.weight_modulation.zeroed),  # noqa: S704  (markup already)
        sky=sky(evidence.neuron_sweep.recovery, evidence.neuron_sweep.exact),
    )


def _activations(result: Any) -> Float[np.ndarray, " pos"]:
    """On the clean prompt's tokens."""
    values: Float[np.ndarray, " pos"] = result.activations[result.text(0)]
    return values


def _tokens(result: Any) -> tuple[Token, ...]:
    values = _activations(result)
    largest = float(np.abs(values).max()) or 1.0
    return tuple(
        Token(*_parted(text), value, value / largest, abs(value) >= PALE * largest)
        for text, value in zip(result.tokens[result.text(0)], values.tolist(), strict=True)
    )


def _parted(text: str) -> tuple[str, str]:
    """A token's leading space apart from the rest: a line may end between the two."""
    shown = in_text(text)
    rest = shown.lstrip(" ") or shown
    return shown.removesuffix(rest), rest


def in_text(text: str) -> str:
    """What a model writes as it stands in a sentence: line ends are seen, spaces are spaces."""
    return plain(text.replace(" ", "\0")).replace("⟨0⟩", " ")


def _setting(turn: Turn) -> dict[str, Any]:
    """One setting of the slider as the page writes it."""
    return {
        "factor": turn.factor,
        "label": factor(turn.factor),
        "shares": [round(share, 5) for share in turn.shares],
        "percents": [percent(share) for share in turn.shares],
        "word": plain(turn.word),
        "shown": in_text(turn.word),
        "rest": in_text(turn.rest),
        "percent": percent(turn.share),
        "difference": written(turn.logit_diff),
    }
