"""Which questions one neuron answers, and whether the one that everybody asks is the exception."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analysis import questions
from analysis.criteria import LEAD, SAYS, SMALL_SET
from analysis.experiments.library.compute import CHOOSING
from analysis.experiments.library.measured import SECOND, Library, Needed
from analysis.grounds import Ground
from analysis.numbers.estimates import Estimate

RowVerdict = Literal["one", "crowd", "none", "untold"]
"""One neuron says the word; or the best recovers as much and does not lead; or none recovers as
much; or the model does not tell the question's prompts apart."""

Verdict = Literal["exception", "among", "others", "nobody", "some", "untold"]
"""Of the question that is asked where no other is named: it alone has a neuron, it and others have
one, or others have and it has not; or no question has one; or, where it is not told apart or too
few others are, some have; or the model tells none of them apart."""

RULE = 2
"""Where no more questions than these are told apart, one that has a neuron is no exception: there
is no rule to except it from."""


@dataclass(frozen=True)
class Row:
    """One question."""

    name: str
    target: str
    foil: str
    pairs: int  # of prompts, and those that the model tells apart
    told_apart: int
    gap: float  # in logits, the mean over all pairs
    verdict: RowVerdict
    confirmed_on: int  # pairs
    neuron: str  # the best, and what it recovers where it was not chosen
    recovery: Estimate
    second: str
    second_recovery: float
    target_rank: int  # of the target among the tokens that it writes, 0 where that is not known
    needed: Needed  # neurons for half; 0 where none of the sizes is enough
    largest: int  # of these sizes
    shuffled: float  # the largest that either control recovers
    random: float
    sure: bool  # whether even the lower end of its recovery is what makes a word have a neuron
    beyond: bool  # whether the best recovers more than any draw of the controls
    # on news: tokens that count as the target, those of all pairs; of these, how many there are in
    # the articles that judge, and their share of all tokens; whether that is often enough to tell
    awaited: int
    occurrences: int
    rate: float
    often: bool
    marked: int  # tokens that reach the threshold
    precision: Estimate  # of these the share that the target follows
    recall: Estimate  # of the target's places the share that reaches it
    tells: bool  # whether even the lower end of its precision lies above the rate


@dataclass(frozen=True)
class Facts:
    """What the questions show together."""

    choosing: int  # pairs that choose at most
    draws: int  # of either control
    rows: tuple[Row, ...]  # those told apart by recovery, the largest first; then the others
    told_apart: int  # how many are told apart
    ones: tuple[Row, ...]  # by verdict
    crowds: tuple[Row, ...]
    untold: tuple[Row, ...]
    verdict: Verdict
    special: Row | None  # the question that is asked where no other is named
    next: Row | None  # of the others the one whose best neuron recovers most
    apart: bool  # whether the intervals of these two do not meet
    first: bool  # whether the special one recovers more
    shared: tuple[tuple[str, tuple[Row, ...]], ...]  # neurons that are best of several questions
    few: tuple[Row, ...]  # questions of which half takes a small set
    many: tuple[Row, ...]  # those of which it takes more
    least: int  # neurons for half where that is least among them; 0 where no size is enough
    most: int  # neurons for half where it takes most; 0 where no size is enough somewhere
    writers: int  # best neurons that write their target before all other tokens
    ranked: int  # those of which it is known whether they do
    beyond: int  # questions whose best neuron recovers more than every control
    absent: tuple[tuple[str, str], ...]  # questions that cannot be asked, and why
    pairs: int  # that confirm, of the question with the fewest
    judged: int  # of which so many judge
    heard: tuple[Row, ...]  # questions of which the target comes there often enough
    seldom: tuple[Row, ...]  # told apart, but not of these
    shown: Row | None  # of those heard the one that is told, which news took no part in choosing
    telling: int  # neurons whose marks are right more often than the target's rate, beyond doubt


def facts(result: Library) -> Facts:
    """Read them off the rows."""
    rows = [_row(result, i) for i in range(len(result.questions))]
    measured = sorted((r for r in rows if r.verdict != "untold"), key=lambda r: -r.recovery.mean)
    ones, crowds = (
        tuple(r for r in measured if r.verdict == verdict) for verdict in ("one", "crowd")
    )
    untold = tuple(r for r in rows if r.verdict == "untold")
    special = next((r for r in rows if r.name == questions.DEFAULT), None)
    following = next((r for r in measured if r is not special), None)
    sizes = [r.needed.size for r in measured]
    heard = tuple(r for r in measured if r.often)
    few = tuple(r for r in measured if 0 < r.needed.size <= SMALL_SET)
    return Facts(
        choosing=CHOOSING,
        draws=result.shuffled.shape[1],
        rows=(*measured, *untold),
        told_apart=len(measured),
        ones=ones,
        crowds=crowds,
        untold=untold,
        verdict=_verdict(ones, special, len(measured)),
        special=special,
        next=following,
        apart=special is not None and following is not None and _apart(special, following),
        first=bool(measured) and measured[0] is special,
        shared=_shared(measured),
        few=few,
        many=tuple(r for r in measured if r not in few),
        least=min((size for size in sizes if size > SMALL_SET), default=0),
        most=max(sizes, default=0) if all(sizes) else 0,
        writers=sum(r.target_rank == 1 for r in measured),
        ranked=sum(r.target_rank > 0 for r in measured),
        beyond=sum(r.beyond for r in measured),
        absent=tuple(zip(result.missing, result.reasons, strict=True)),
        pairs=min((r.confirmed_on for r in measured), default=0),
        judged=result.documents // 2,
        heard=heard,
        seldom=tuple(r for r in measured if r not in heard),
        shown=special if special in heard else next(iter(heard), None),
        telling=sum(r.tells for r in heard),
    )


def verdicts(result: Library) -> dict[str, Any]:
    """The verdict on the whole and on each question, in plain values."""
    found = facts(result)
    return {
        "verdict": found.verdict,
        "verdicts": {row.name: row.verdict for row in found.rows},
        "comparisons": result.comparisons,
    }


def grounds(found: Facts, result: Library) -> Iterator[Ground]:
    """Pairs of prompts are the sample, on news articles; all questions hold at once."""
    at_once = result.comparisons
    if found.told_apart:
        pairs = found.pairs
        yield Ground("recovery", {"prompt_pair": pairs}, "bootstrap", at_once)
        yield Ground("lead", {"prompt_pair": pairs}, "bootstrap", at_once)
        yield Ground("half", {"prompt_pair": pairs}, "bootstrap", at_once)
        yield Ground("shuffled", {"prompt_pair": pairs}, "shuffles")
    if found.heard:
        yield Ground("news", {"article": found.judged}, "wilson_of_texts", at_once)


def _shared(measured: list[Row]) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    """The best neurons that several questions have in common, each with these."""
    found = {r.neuron: tuple(o for o in measured if o.neuron == r.neuron) for r in measured}
    return tuple((neuron, rows) for neuron, rows in found.items() if len(rows) > 1)


def _verdict(ones: tuple[Row, ...], special: Row | None, measured: int) -> Verdict:
    if not measured:
        return "untold"
    if not ones:
        return "nobody"
    if special is None or special.verdict == "untold":
        return "some"
    if special not in ones:
        return "others"
    if len(ones) > 1:
        return "among"
    return "exception" if measured > RULE else "some"


def _apart(one: Row, other: Row) -> bool:
    """Whether the interval of one lies above or below that of the other."""
    return one.recovery.low > other.recovery.high or other.recovery.low > one.recovery.high


def _row(result: Library, i: int) -> Row:
    recovery, lead, second = result.recovery(i), result.lead(i), result.recovery(i, SECOND).mean
    controls = [float(np.max(each[i])) for each in (result.shuffled, result.random)]
    leads = lead.low > 0 and recovery.mean >= LEAD * second
    beyond = recovery.mean > max(controls)
    precision, recall = result.on_news(i)
    often, rate = bool(result.often[i]), result.rate(i)
    return Row(
        name=result.questions[i],
        target=result.targets[i],
        foil=result.foils[i],
        pairs=int(result.pairs[i]),
        told_apart=int(result.told_apart[i]),
        gap=float(result.gap[i]),
        verdict=_verdict_on(bool(result.measured[i]), recovery.mean, leads and beyond),
        confirmed_on=int(result.confirmed_on[i]),
        neuron=result.best[i],
        recovery=recovery,
        second=result.second[i],
        second_recovery=second,
        target_rank=int(result.target_rank[i]),
        needed=result.needed(i),
        largest=int(result.sizes[-1]),
        shuffled=controls[0],
        random=controls[1],
        sure=recovery.low >= SAYS,
        beyond=beyond,
        awaited=int(result.awaited[i]),
        occurrences=int(result.occurrences[i, 1]),
        rate=rate,
        often=often,
        marked=int(result.marked[i]),
        precision=precision,
        recall=recall,
        tells=often and precision.low > rate,
    )


def _verdict_on(measured: bool, recovery: float, clear: bool) -> RowVerdict:
    if not measured:
        return "untold"
    if recovery < SAYS:
        return "none"
    return "one" if clear else "crowd"
