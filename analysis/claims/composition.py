"""How much of the neuron's effect is its own write, and what later components make of it."""

from dataclasses import dataclass

from markupsafe import Markup

from analysis.claims import composition_checks as checks
from analysis.claims.wording import (
    number,
    percent,
    plural,
    say,
    signed,
)
from analysis.evidence import Evidence
from analysis.experiments.composition import Composition
from analysis.experiments.neuron_sweep import NeuronSweep, ranked

MORE = 1.05
"""The direct write exceeds the total when it is this many times as large, or more."""

SMALL = 0.1
"""A part of the total, in size, that hardly counts."""

ENOUGH = 0.1
"""A later component is worth naming when it moves this share of the direct write."""

WORDS = (("a quarter", 1 / 4), ("a third", 1 / 3), ("half", 1 / 2), ("two thirds", 2 / 3))
NEAR = 0.035
"""How near a share must be to a fraction to be called by it."""


@dataclass(frozen=True)
class Composing:
    """Claims about direct and indirect effect."""

    heading: str
    split: Markup
    later: Markup
    lowest: Markup
    paths: Markup
    noising: Markup
    held_out: Markup
    caption: Markup
    held_out_caption: Markup
    wrong: Markup


def composition(evidence: Evidence) -> Composing:
    """Read the claims off the split."""
    result = evidence.composition
    return Composing(
        heading=_heading(result),
        split=_split(result),
        later=_later(result),
        lowest=_lowest(result, evidence.neuron_sweep),
        paths=_paths(result),
        noising=_noising(result),
        held_out=checks.held_out(result),
        caption=caption(result),
        held_out_caption=checks.held_out_caption(result),
        wrong=checks.wrong(result),
    )


def direct_share(result: Composition, way: int = 0) -> float:
    """Direct write over total; infinite where the total is nothing."""
    total = float(result.total[way])
    return float(result.direct[way]) / total if total else float("inf")


def taken_back(result: Composition, way: int = 0) -> bool:
    """Whether what is behind the neuron works against its own write, and not by a trifle."""
    indirect, direct = float(result.indirect[way]), float(result.direct[way])
    return indirect * direct < 0 and abs(indirect) > (MORE - 1) * abs(direct)


def added_to(result: Composition, way: int = 0) -> bool:
    """Whether what is behind the neuron works with its own write, and not by a trifle."""
    indirect, direct = float(result.indirect[way]), float(result.direct[way])
    return indirect * direct > 0 and abs(indirect) > (MORE - 1) * abs(direct)


def mostly_direct(result: Composition, way: int = 0) -> bool:
    """Whether the neuron's own write makes more than half of the total, with its sign."""
    return direct_share(result, way) > 1 / 2


def nothing_behind(result: Composition) -> bool:
    """Whether the neuron stands in the last layer."""
    return not result.heads_full.shape[1]


def _heading(result: Composition) -> str:
    if nothing_behind(result):
        return "It acts directly: no layer stands behind it"
    if not mostly_direct(result):
        return "It acts mostly through later components"
    if taken_back(result) and abs(float(result.indirect[0])) > abs(float(result.direct[0])) / 2:
        return "It acts directly, and later components take most of it back"
    if taken_back(result):
        return "It acts directly, and later components take part of it back"
    if added_to(result):
        return "It acts mostly by itself, and later components add to it"
    return "It acts mostly by itself, and later components change little"


def _split(result: Composition) -> Markup:
    return say(
        "Put into the corrupted run, the clean activation of {} changes the logit difference by "
        "{}: the <em>total</em> effect. Its own write, with all that stands behind it kept as it "
        "was, changes it by {} with the final norm frozen and by {} with the norm recomputed: the "
        "<em>direct</em> effect. The <em>indirect</em> effect, total minus direct with the norm "
        "frozen, is {}.",
        result.neuron,
        signed(float(result.total[0])),
        signed(float(result.direct[0])),
        signed(float(result.direct_unfrozen[0])),
        signed(float(result.indirect[0])),
    )


def _later(result: Composition) -> Markup:
    if nothing_behind(result):
        return say("No head and no MLP stands behind the last layer, so nothing can answer to it.")
    against, along = _named(result)
    if not against and not along:
        return say(
            "No single later head or neuron moves as much as {} of the direct write.",
            percent(ENOUGH),
        )
    told = Markup("")
    if against:
        told += say(
            "{} undoes {} of what the neuron writes ({}, {} of the direct effect; by its single "
            "path {}).",
            against,
            _fraction(-_of_direct(result, against)),
            signed(result.full()[against]),
            percent(-_of_direct(result, against)),
            signed(result.alone()[against]),
        )
    else:
        told += say("No single later head or neuron undoes as much as {}.", percent(ENOUGH))
    if along:
        told += say(
            " {} adds to it: {}, {} of the direct effect.",
            along,
            signed(result.full()[along]),
            percent(_of_direct(result, along)),
        )
    return told


def _of_direct(result: Composition, part: str, way: int = 0) -> float:
    return result.full(way)[part] / float(result.direct[way])


def _named(result: Composition) -> tuple[str | None, str | None]:
    """The later parts that work most against the direct write and most with it, if any count."""
    return _strongest(result, -1), _strongest(result, 1)


def _strongest(result: Composition, sign: int) -> str | None:
    """The later head or neuron that works most against the direct write, or with it."""
    if not result.direct[0]:
        return None
    values = {part: sign * _of_direct(result, part) for part in result.parts}
    best = max(values, key=lambda part: values[part], default=None)
    return best if best is not None and values[best] >= ENOUGH else None


def _fraction(share: float) -> str:
    """A share in words where it is near a common fraction."""
    name, value = min(WORDS, key=lambda word: abs(word[1] - share))
    if abs(value - share) <= NEAR:
        return f"about {name}"
    return "part" if share < 1 else "all"


def _lowest(result: Composition, sweep: NeuronSweep) -> Markup:
    """Whether the sweep's lowest neuron answers to this one."""
    if len(ranked(sweep)) < 2 or nothing_behind(result):
        return Markup("")
    lowest = ranked(sweep)[-1]
    by_itself = float(sweep.recovery[lowest]) * (sweep.clean_diff - sweep.corrupted_diff)
    if lowest.layer < result.first_later:
        return say(
            "The neuron that the sweep found most opposed to the answer, {}, does not stand behind "
            "{}, so it cannot answer to it.",
            str(lowest),
            result.neuron,
        )
    here = result.full()[str(lowest)]
    told = say(
        "The sweep’s lowest neuron was {}: patched by itself it moves the difference by {}. Here, "
        "where only {} is patched, it writes {}, so ",
        str(lowest),
        signed(by_itself),
        result.neuron,
        signed(here),
    )
    if here * by_itself > 0 and abs(here) >= abs(by_itself) / 2:
        return told + say("most of what it does is an answer to this neuron.")
    return told + say("what it does is not, for the most part, an answer to this neuron.")


def _paths(result: Composition) -> Markup:
    if nothing_behind(result):
        return say(
            "What is left of the total, {}, is what the write does to the final norm’s scale.",
            signed(float(result.norm[0]), 3),
        )
    singles, rest = float(result.single_paths[0]), float(result.remainder[0])
    told = say(
        "Followed one at a time, with everything else kept as it was, the single paths through "
        "{} and {} sum to {}. Direct effect and single paths leave a remainder of {}: {} from "
        "longer paths, on which one later component answers to another, and {} from the final "
        "norm. ",
        plural(result.heads_alone[0].size, "later head", "later heads"),
        plural(result.heads_alone.shape[1], "later MLP", "later MLPs"),
        signed(singles),
        signed(rest, 3),
        signed(float(result.longer[0]), 3),
        signed(float(result.norm[0]), 3),
    )
    if abs(rest) <= SMALL * abs(float(result.total[0])):
        return told + say("So single paths tell nearly all of it.")
    return told + say("So single paths do not tell all of it.")


def _noising(result: Composition) -> Markup:
    told = say(
        "The other way round, with the corrupted activation put into the clean run, the clean "
        "answer loses {} of the difference; the direct effect is {} and the indirect one {}. ",
        number(float(result.total[1])),
        signed(float(result.direct[1])),
        signed(float(result.indirect[1])),
    )
    if _kind(result, 0) != _kind(result, 1) or not result.direct[1]:
        return told + say("The two ways do not tell the same story.")
    named = [part for part in _named(result) if part]
    for part in named:
        share, before = (percent(_of_direct(result, part, way)) for way in (1, 0))
        told += say("{} then makes {} of the direct effect, against {}. ", part, share, before)
    turned = [p for p in named if _of_direct(result, p, 0) * _of_direct(result, p, 1) <= 0]
    if not turned:
        return told + say("Both ways tell the same story.")
    return told + say(
        "So both ways agree on the whole, but not on {}: whether it helps or hinders depends on "
        "the run that is patched.",
        " and ".join(turned),
    )


def _kind(result: Composition, way: int) -> tuple[bool, ...]:
    return (
        mostly_direct(result, way),
        taken_back(result, way),
        added_to(result, way),
        bool(result.total[way] > 0),
    )


def caption(result: Composition) -> Markup:
    """Direct, indirect and total effect, in one sentence."""
    told = say(
        "{} writes {} directly; all that stands behind it changes that by {}",
        result.neuron,
        signed(float(result.direct[0])),
        signed(float(result.indirect[0])),
    )
    if result.parts and not nothing_behind(result):
        part = result.parts[0]
        told += say(", {} the most ({})", part, signed(result.full()[part]))
    return told + say("; the total is {}.", signed(float(result.total[0])))
