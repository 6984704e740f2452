"""How much of the neuron's effect is direct, and what later components make of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan

import numpy as np

from analysis.criteria import MOST, NEGLIGIBLE, UNCHANGED
from analysis.engines.pushes import PUSHES
from analysis.experiments.composition.compute import Composition, held_out_shares
from analysis.grounds import Ground, Unit
from analysis.intervals import Interval
from analysis.numbers.estimates import Estimate, ratio
from analysis.numbers.matched import as_active
from analysis.pair_facts import verdicts as verdicts

DENOISING, NOISING = 0, 1
WHOLE, PART, REST = range(len(PUSHES))


@dataclass(frozen=True)
class Effect:
    """What patching one way does for the clean answer, in logits, the final norm frozen."""

    total: float  # the whole and its two parts
    direct: float
    indirect: float
    mostly_direct: bool  # whether the direct effect is more than half of the total, with its sign
    opposed: bool  # whether the indirect effect works against the direct one, or with it
    reinforced: bool


@dataclass(frozen=True)
class Component:
    """A later head or neuron that answers to the patched one."""

    name: str  # of it
    written: float  # what it writes differently in the full patched run, in logits
    path: float  # what its single path carries, in logits
    share: float  # of the direct effect, by either way of patching
    noising_share: float
    reverses: bool  # whether it helps one way and hinders the other


@dataclass(frozen=True)
class HeldOut:
    """Pairs that took no part in choosing the neuron, together."""

    share: Estimate  # of the total that is direct
    bounded: bool  # whether that has an interval
    exceeds: bool  # whether that is clearly more than all of it, less than all, more than half,
    adds: bool  # or less
    mostly: bool
    minor: bool
    either: bool  # whether it is a part, and may be half, or more, or less
    noising: Interval  # the same by noising; none where those totals are too near zero for a share
    noising_agrees: bool  # whether the two intervals overlap
    largest_share: float  # of the total that the largest later component writes
    largest_of_direct: Estimate  # the same as a share of the direct effect


@dataclass(frozen=True)
class Pushed:
    """How one later component answers to other pushes in the neuron's place, over held-out pairs.

    Shares are of its answer to the whole write, with intervals over pairs.
    """

    name: str  # of it
    draws: int  # random directions
    opposes: bool  # whether it works against the whole write
    written: float  # mean answer to that, in logits
    next_to_nothing: bool  # whether that is negligible beside the total
    part: Estimate  # share that is left for the unembedding part alone
    rest: Estimate  # share that the rest makes, which has no direct effect
    random: Estimate  # mean size for random directions, as a share
    noising: Estimate  # the part's share, by noising
    bounded: bool  # whether there are intervals, on which the verdicts rest; and by noising
    noising_bounded: bool
    by_any: bool  # whether any push on the difference brings most of it
    by_write: bool  # whether most of it is for this neuron's write
    beyond_random: bool  # whether the part brings more than random directions do
    rest_beyond_random: bool  # whether the rest does
    noising_agrees: bool  # whether noising gives the same verdict
    total: float  # mean total of the whole write, of the part alone, of a random direction in size
    part_total: float
    random_total: float


@dataclass(frozen=True)
class Controls:
    """Neurons of the layer, the nearest in activation: the largest value of any, and its own."""

    alike: int  # how many of them are about as active
    total: float  # effect, in logits
    as_large: bool  # whether it comes to half of the neuron's
    change: float  # of the activation between the prompts
    own_change: float
    change_less: bool  # whether theirs is smaller
    per_unit: float  # direct effect per unit of change
    own_per_unit: float
    weaker: bool  # whether theirs is smaller


@dataclass(frozen=True)
class Facts:
    """How the effect splits, in logits."""

    last_layer: bool  # whether no layer stands behind the neuron's
    denoising: Effect  # the split by either way of patching
    noising: Effect
    agree: bool  # whether both say the same of it
    direct_unfrozen: float  # the direct effect with the final norm recomputed
    varies: bool  # whether the pair and the held-out ones differ in whether they add or take back
    mostly_taken_back: bool  # whether later components undo more than half of the direct effect
    # what undoes most of it, and what adds most, where that is not negligible
    against: Component | None
    along: Component | None
    largest: Component | None  # of all later components
    heads: int  # later heads and MLPs
    layers: int
    paths: float  # sum of their single paths
    remainder: float  # what those leave, by longer paths, by norms and by a cap on the logits
    longer: float
    norm: float
    post_norms: float | None  # None where no norm stands behind attention or an MLP that follows
    cap: float | None  # None where logits have none
    complete: bool  # whether that is negligible
    held_out: HeldOut | None  # other pairs; None where there are none
    pushed: Pushed | None  # other pushes; None without a later component or without other pairs
    controls: Controls | None  # other neurons; None where there are none
    behind: float  # what patching changes of the tokens behind the first ones, where there are any


def facts(result: Composition, _sign: int | None = None) -> Facts:
    """Read them off; the effect has the same sign however the neuron is used."""
    denoising, noising = (_effect(result, direction) for direction in (DENOISING, NOISING))
    layers, heads = result.heads_full.shape[1:]
    remainder = float(result.remainder[DENOISING])
    later = [_component(result, name) for name in result.components] if layers else []
    against = _strongest(later, -1)
    largest = later[0] if later else None
    answering = against or largest
    held_out = _held_out(result) if result.held_out else None
    undone = abs(denoising.indirect) > abs(denoising.direct) / 2
    return Facts(
        last_layer=not layers,
        denoising=denoising,
        noising=noising,
        agree=_kind(denoising) == _kind(noising) and _alike(denoising, noising),
        direct_unfrozen=float(result.direct_unfrozen[DENOISING]),
        varies=held_out is not None
        and (held_out.adds if denoising.opposed else denoising.reinforced and held_out.exceeds),
        mostly_taken_back=denoising.opposed and undone,
        against=against,
        along=_strongest(later, 1),
        largest=largest,
        heads=layers * heads,
        layers=layers,
        paths=float(result.single_paths[DENOISING]),
        remainder=remainder,
        longer=float(result.longer[DENOISING]),
        norm=float(result.norm[DENOISING]),
        post_norms=float(result.post_norms[DENOISING]) if result.post_norms.any() else None,
        cap=float(result.cap[DENOISING]) if result.cap.any() else None,
        complete=abs(remainder) <= NEGLIGIBLE * abs(denoising.total),
        held_out=held_out,
        pushed=_pushed(result, answering.name) if answering and result.held_out else None,
        controls=_controls(result) if result.controls else None,
        behind=float(result.behind[DENOISING]),
    )


def grounds(found: Facts, result: Composition) -> Iterator[Ground]:
    """Pairs of prompts are the sample."""
    pairs: dict[Unit, int] = {"prompt_pair": len(result.held_out)}
    if found.held_out:
        yield Ground("held_out", pairs, "bootstrap")
    if found.pushed:
        yield Ground("pushed", pairs, "bootstrap")


def _effect(result: Composition, direction: int) -> Effect:
    total, direct = float(result.total[direction]), float(result.direct[direction])
    indirect = float(result.indirect[direction])
    counts = abs(indirect) > UNCHANGED * abs(direct)
    return Effect(
        total=total,
        direct=direct,
        indirect=indirect,
        mostly_direct=not total or direct / total > 1 / 2,
        opposed=counts and indirect * direct < 0,
        reinforced=counts and indirect * direct > 0,
    )


def _kind(effect: Effect) -> tuple[bool, ...]:
    return effect.mostly_direct, effect.opposed, effect.reinforced, effect.total > 0


def _component(result: Composition, name: str) -> Component:
    written = [result.full(direction)[name] for direction in (DENOISING, NOISING)]
    share, back = (
        part / float(direct) if direct else nan
        for part, direct in zip(written, result.direct, strict=True)
    )
    return Component(name, written[0], result.alone()[name], share, back, share * back <= 0)


def _strongest(later: list[Component], sign: int) -> Component | None:
    """What works most with the direct effect, or with sign -1 against it, if it counts."""
    counting = [each for each in later if sign * each.share >= NEGLIGIBLE]
    return max(counting, key=lambda each: sign * each.share, default=None)


def _alike(denoising: Effect, noising: Effect) -> bool:
    """Whether by noising there is something to split, beside what denoising brings."""
    least = NEGLIGIBLE * abs(denoising.total)
    return noising.direct != 0 and abs(noising.total) >= least


def _held_out(result: Composition) -> HeldOut:
    of_total = held_out_shares(result)
    share, noising = _estimate(of_total["direct"]), Interval.of(result.held_out_noising_share)
    nothing = nan, (nan, nan)
    of_direct = held_out_shares(result, of="direct") if result.components else {}
    largest = result.components[0] if result.components else ""
    return HeldOut(
        share=share,
        bounded=bool(np.isfinite(share.low)),
        exceeds=share.low > 1,
        adds=share.high < 1,
        mostly=share.low > 1 / 2,
        minor=share.high <= 1 / 2,
        either=0 < share.low <= 1 / 2 < share.high < 1,
        noising=noising,
        noising_agrees=share.low <= noising.high and noising.low <= share.high,
        largest_share=of_total.get(largest, nothing)[0],
        largest_of_direct=_estimate(of_direct.get(largest, nothing)),
    )


def _estimate(found: tuple[float, tuple[float, float]]) -> Estimate:
    return Estimate(found[0], *found[1])


def _pushed(result: Composition, name: str) -> Pushed:
    place = result.components.index(name)
    answers = result.pushed_components[..., place].astype(float)
    sizes = np.abs(result.random_components[..., place]).mean(-1).astype(float)
    answer, size = (
        answers[DENOISING],
        np.sign(answers[DENOISING, :, WHOLE].sum()) * sizes[DENOISING],
    )
    whole = answer[:, WHOLE]
    part, noising = (ratio(each[:, PART], each[:, WHOLE]) for each in answers)
    beyond, rest_beyond = (ratio(answer[:, each] - size, whole) for each in (PART, REST))
    totals = result.pushed_total[DENOISING].mean(0).astype(float)
    return Pushed(
        name=name,
        draws=result.random_total.shape[-1],
        opposes=float(whole.mean()) * float(result.held_out_direct.mean()) < 0,
        written=float(whole.mean()),
        next_to_nothing=bool(abs(whole.mean()) < NEGLIGIBLE * abs(totals[WHOLE])),
        part=part,
        rest=ratio(answer[:, REST], whole),
        random=ratio(size, whole),
        noising=noising,
        by_any=part.low > MOST,
        by_write=part.high <= MOST,
        bounded=bool(np.isfinite(part.low)),
        noising_bounded=bool(np.isfinite(noising.low)),
        beyond_random=beyond.low > 0,
        rest_beyond_random=rest_beyond.low > 0,
        noising_agrees=(noising.low > MOST, noising.high <= MOST)
        == (part.low > MOST, part.high <= MOST),
        total=float(totals[WHOLE]),
        part_total=float(totals[PART]),
        random_total=float(np.abs(result.random_total[DENOISING]).mean()),
    )


def _controls(result: Composition) -> Controls:
    rows = (result.control_total, result.control_delta, result.control_direct)
    totals, changes, directs = (np.abs(row[DENOISING]).astype(float) for row in rows)
    own = (result.total, result.delta, result.direct)
    own_total, own_change, own_direct = (abs(float(row[DENOISING])) for row in own)
    per_unit = float((directs[changes > 0] / changes[changes > 0]).max(initial=0.0))
    own_per_unit = own_direct / own_change if own_change else 0.0
    total, change = float(totals.max()), float(changes.max())
    return Controls(
        alike=int(as_active(result.norms).sum()),
        total=total,
        as_large=total >= own_total / 2,
        change=change,
        own_change=own_change,
        change_less=change < own_change,
        per_unit=per_unit,
        own_per_unit=own_per_unit,
        weaker=per_unit < own_per_unit,
    )
