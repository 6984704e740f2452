"""When a neuron is active: on the pair of prompts, and on news drawn at random.

Negative activation can be the one that works: a gated neuron may answer to the clean prompt with
activation far below zero, and another may be active on the corrupted prompt and be suppressed by
the clean one. So activation is read with the sign that it has where the neuron is active.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from analysis.criteria import ACTIVE, DOCUMENTS, EXPECTED, FEW, MOST, OFF, RARELY
from analysis.experiments.activations.compute import Activations
from analysis.grounds import Ground
from analysis.intervals import Interval, Share, Span
from analysis.numbers.estimates import mean_of_groups
from analysis.token_sets import members

Marks = Bool[np.ndarray, " token"]


@dataclass(frozen=True)
class Place:
    """A token of the first text, its number from 1, and the target's probability after it."""

    token: str
    activation: float
    number: int
    chance: float


@dataclass(frozen=True)
class Repeat:
    """The clean prompt's last token, earlier in that prompt."""

    following: str  # the token that follows it there
    activation: float  # on it there
    context_decides: bool  # whether the neuron is active in only one of the two places


@dataclass(frozen=True)
class Pair:
    """The clean prompt against the corrupted one."""

    clean: float  # activation on the last token
    corrupted: float
    sign: int  # of the change from the corrupted to the clean prompt, with which the neuron is used
    suppressed: bool  # whether the corrupted prompt excites it and the clean one suppresses it
    nearly_off: bool  # whether that leaves hardly anything of it
    negative: bool  # whether it answers to the clean prompt with negative activation
    peak: float  # activation at the end of the prompt that excites it
    differs: bool  # whether it is not active at the end of the other one
    off: bool  # whether it is zero at the end of both
    fires_before: bool  # whether it is most active on the token before the target is due
    most_active: str  # the token of the clean prompt on which it is
    repeat: Repeat | None  # None where the last token stands nowhere else in the clean prompt


@dataclass(frozen=True)
class OnTarget:
    """The target's own token in news: how often, the largest activation, and whether it fires."""

    places: int
    activation: float
    fires: bool


@dataclass(frozen=True)
class BeforeTarget:
    """Places in news before the target: how many, and the mean activation there and elsewhere."""

    places: int
    articles: int  # in which they stand
    mean: Interval  # articles resampled
    otherwise: float
    differs: bool  # whether it is beyond the other with the sign of its use, in enough articles
    reversed: bool  # whether it is beyond the other on the wrong side, in enough articles


@dataclass(frozen=True)
class News:
    """Articles drawn at random, without the first token of each."""

    tokens: int  # how many
    active: int  # on how many of them the neuron is active
    active_in: Share  # articles in which it is
    silent: bool  # whether the active tokens are hardly any
    enough: bool  # whether they stand in enough articles to say what excites it
    lowest: float  # activation
    highest: float
    on_target: OnTarget | None  # None where the target occurs in too few texts
    before_target: BeforeTarget | None
    likely: float  # probability of the target from which on the model expects it
    likeliest: float  # the largest anywhere
    due: int  # places where the model expects it, and in how many articles
    due_in: int
    due_active: int  # of these places those at which the neuron is active
    often: Literal["rarely", "sometimes", "mostly", "unknown"]  # at few of them, at some, at most
    explained: int  # active tokens that the target follows, in the text or for the model
    mostly_explained: bool  # whether those are most of them


@dataclass(frozen=True)
class Facts:
    """What the texts show."""

    last: Place  # the first text's last token
    largest: Place  # where the activation in it is largest, whichever its sign
    pair: Pair | None  # the first text against the second; None where there is but one
    news: News | None  # None where there is none, or no pair to compare it with


def facts(result: Activations, sign: int | None = None) -> Facts:
    """Read them off."""
    pair = _pair(result, sign or sign_of(result)) if len(result.texts) > 1 else None
    return Facts(
        last=_place(result, result.lengths[0] - 1),
        largest=_place(result, int(abs(result.activations[result.text(0)]).argmax())),
        pair=pair,
        news=_news(result, pair) if pair and sampled(result).any() else None,
    )


def grounds(found: Facts, _result: Activations) -> Iterator[Ground]:
    """Articles are the sample: tokens of one are not independent."""
    if found.news:
        yield Ground("active", {"article": found.news.active_in.of}, "wilson")
    if found.news and found.news.before_target and found.news.before_target.articles > 1:
        yield Ground("before", {"article": found.news.before_target.articles}, "bootstrap")


def sign_of(result: Activations) -> int:
    """Which way the clean prompt moves the activation, against the corrupted one: 1 up, -1 down."""
    clean, corrupted = _ends(result)
    return int(np.sign(clean - corrupted) or np.sign(clean) or 1)


def counted(result: Activations) -> Marks:
    """Marks every token but the first of each text, on which models park their attention."""
    marks = np.ones(len(result.tokens), dtype=bool)
    marks[np.cumsum((0, *result.lengths[:-1]))] = False
    return marks


def sampled(result: Activations) -> Marks:
    """Marks the tokens of the random texts that count."""
    return counted(result) & (np.arange(len(result.tokens)) >= result.random.start)


def _place(result: Activations, place: int) -> Place:
    chance = float(result.p_target[place])
    return Place(result.tokens[place], float(result.activations[place]), place + 1, chance)


def _ends(result: Activations) -> Span:
    clean, corrupted = (float(result.activations[result.text(index)][-1]) for index in (0, 1))
    return clean, corrupted


def _pair(result: Activations, sign: int) -> Pair:
    clean, corrupted = _ends(result)
    suppressed = sign * corrupted < 0 and sign * clean < ACTIVE * abs(corrupted)
    peak, other = (corrupted, clean) if suppressed else (clean, corrupted)
    active_sign, last = -sign if suppressed else sign, result.lengths[0] - 1
    signed, tokens = active_sign * result.activations[: last + 1], result.tokens[: last + 1]
    most = int(np.where(counted(result)[: last + 1], signed, -np.inf).argmax())
    earlier = [i for i, token in enumerate(tokens[:-1]) if token == tokens[-1]]
    active = signed >= ACTIVE * active_sign * peak
    return Pair(
        clean=clean,
        corrupted=corrupted,
        sign=sign,
        suppressed=suppressed,
        nearly_off=suppressed and abs(other) <= OFF * abs(peak),
        negative=sign < 0 and not suppressed,
        peak=peak,
        differs=active_sign * other < ACTIVE * active_sign * peak,
        off=clean == corrupted == 0,
        fires_before=most == last and tokens[-1] not in members(result.target) and not suppressed,
        most_active=tokens[most],
        repeat=Repeat(
            following=tokens[earlier[-1] + 1],
            activation=float(result.activations[earlier[-1]]),
            context_decides=bool(active[earlier[-1]]) == suppressed,
        )
        if earlier
        else None,
    )


def _news(result: Activations, pair: Pair) -> News:
    marks, active_sign = sampled(result), -pair.sign if pair.suppressed else pair.sign
    signed, tokens = active_sign * result.activations, int(marks.sum())
    active = marks & (signed >= ACTIVE * active_sign * pair.peak)
    likely = max(EXPECTED, float(result.p_target[result.lengths[0] - 1]) / 2)
    due = marks & (result.p_target >= likely)
    times, places, both = int(active.sum()), int(due.sum()), int((due & active).sum())
    explained = int((active & (due | (result.next_is_target > 0))).sum())
    articles, active_in, due_in = (_articles(result, each) for each in (marks, active, due))
    return News(
        tokens=tokens,
        active=times,
        active_in=Share.counted(active_in, articles),
        silent=times < RARELY * tokens,
        enough=active_in >= DOCUMENTS,
        lowest=float(result.activations[marks].min()),
        highest=float(result.activations[marks].max()),
        on_target=_on_target(result, signed, active),
        before_target=_before_target(result, pair.sign),
        likely=likely,
        likeliest=float(result.p_target[marks].max()),
        due=places,
        due_in=due_in,
        due_active=both,
        often=_often(both, places) if due_in >= DOCUMENTS else "unknown",
        explained=explained,
        mostly_explained=explained >= MOST * times,
    )


def _often(active: int, places: int) -> Literal["rarely", "sometimes", "mostly"]:
    if active < FEW * places:
        return "rarely"
    return "mostly" if active >= MOST * places else "sometimes"


def _text(result: Activations) -> Int[np.ndarray, " token"]:
    """To which text each token belongs."""
    return np.repeat(np.arange(len(result.lengths)), result.lengths)


def _articles(result: Activations, marks: Marks) -> int:
    """In how many texts marked tokens stand."""
    return len(np.unique(_text(result)[marks]))


def _on_target(
    result: Activations, signed: Float[np.ndarray, " token"], active: Marks
) -> OnTarget | None:
    places = np.flatnonzero(sampled(result) & np.isin(result.tokens, members(result.target)))
    if len(np.unique(_text(result)[places])) < DOCUMENTS:
        return None
    largest = places[signed[places].argmax()]
    return OnTarget(len(places), float(result.activations[largest]), bool(active[largest]))


def _before_target(result: Activations, sign: int) -> BeforeTarget | None:
    """Each text's last token is left out, whose next one is not known."""
    marks, before = sampled(result), result.next_is_target > 0
    marks[np.cumsum(result.lengths) - 1] = False
    if not (marks & before).any():
        return None
    text = _text(result)[marks & before]
    values = result.activations.astype(np.float64)  # lest rounding alone tell the two apart
    mean = Interval.of(mean_of_groups(values[marks & before], text))
    others = values[marks & ~before]
    otherwise = float(others.mean()) if len(others) else 0.0
    beyond = (mean.high < otherwise, mean.low > otherwise)[::sign]
    articles = len(np.unique(text))
    reverse, differs = (each and articles >= DOCUMENTS for each in beyond)
    return BeforeTarget(len(text), articles, mean, otherwise, differs, reverse)
