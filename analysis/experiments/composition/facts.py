"""How much of the neuron's effect is direct, and what later components make of it."""

from dataclasses import dataclass
from math import nan

import numpy as np

from analysis.criteria import NEGLIGIBLE, UNCHANGED
from analysis.experiments.composition.compute import Composition, held_out_shares

DENOISING, NOISING = 0, 1
Span = tuple[float, float]


@dataclass(frozen=True)
class Effect:
    """What patching one way does for the clean answer, in logits, the final norm frozen.

    Attributes:
        total, direct, indirect: the whole and its two parts.
        mostly_direct: whether the direct effect is more than half of the total, with its sign.
        opposed, reinforced: whether the indirect effect works against the direct one, or with it.
    """

    total: float
    direct: float
    indirect: float
    mostly_direct: bool
    opposed: bool
    reinforced: bool


@dataclass(frozen=True)
class Component:
    """A later head or neuron that answers to the patched one.

    Attributes:
        name: of it.
        written: what it writes differently in the full patched run, in logits.
        path: what its single path carries, in logits.
        share, noising_share: of the direct effect, by either way of patching.
        reverses: whether it helps one way and hinders the other.
    """

    name: str
    written: float
    path: float
    share: float
    noising_share: float
    reverses: bool


@dataclass(frozen=True)
class HeldOut:
    """Pairs that took no part in choosing the neuron, together.

    Attributes:
        share, interval: of the total that is direct.
        exceeds, mostly, minor: whether that is clearly more than all of it, than half, or less.
        largest_share: of the total that the largest later component writes.
        largest_of_direct, largest_interval: the same as a share of the direct effect.
    """

    share: float
    interval: Span
    exceeds: bool
    mostly: bool
    minor: bool
    largest_share: float
    largest_of_direct: float
    largest_interval: Span


@dataclass(frozen=True)
class Controls:
    """Neurons of the layer, about as active; the largest value of any, in size, and the neuron's.

    Attributes:
        total: effect, in logits.
        as_large: whether it comes to half of the neuron's.
        change, own_change: of the activation between the prompts.
        change_less: whether theirs is smaller.
        per_unit, own_per_unit: direct effect per unit of change.
        weaker: whether theirs is smaller.
    """

    total: float
    as_large: bool
    change: float
    own_change: float
    change_less: bool
    per_unit: float
    own_per_unit: float
    weaker: bool


@dataclass(frozen=True)
class Facts:
    """How the effect splits, in logits.

    Attributes:
        last_layer: whether no layer stands behind the neuron's.
        denoising, noising: the split by either way of patching.
        agree: whether both say the same of it.
        direct_unfrozen: the direct effect with the final norm recomputed.
        mostly_taken_back: whether later components undo more than half of the direct effect.
        against, along: what undoes most of it, and what adds most, where that is not negligible.
        largest: of all later components.
        heads, layers: later heads and MLPs.
        paths: sum of their single paths.
        remainder, longer, norm: what those leave, by longer paths and by the final norm.
        complete: whether that is negligible.
        held_out: other pairs; None where there are none.
        controls: other neurons; None where there are none.
        nameable: the share of the direct effect from which a component is named.
    """

    last_layer: bool
    denoising: Effect
    noising: Effect
    agree: bool
    direct_unfrozen: float
    mostly_taken_back: bool
    against: Component | None
    along: Component | None
    largest: Component | None
    heads: int
    layers: int
    paths: float
    remainder: float
    longer: float
    norm: float
    complete: bool
    held_out: HeldOut | None
    controls: Controls | None
    nameable: float = NEGLIGIBLE


def facts(result: Composition, _sign: int | None = None) -> Facts:
    """Read them off; the effect has the same sign however the neuron is used."""
    denoising, noising = (_effect(result, way) for way in (DENOISING, NOISING))
    layers, heads = result.heads_full.shape[1:]
    remainder = float(result.remainder[DENOISING])
    later = [_component(result, name) for name in result.parts] if layers else []
    undone = abs(denoising.indirect) > abs(denoising.direct) / 2
    return Facts(
        last_layer=not layers,
        denoising=denoising,
        noising=noising,
        agree=_kind(denoising) == _kind(noising) and noising.direct != 0,
        direct_unfrozen=float(result.direct_unfrozen[DENOISING]),
        mostly_taken_back=denoising.opposed and undone,
        against=_strongest(later, -1),
        along=_strongest(later, 1),
        largest=later[0] if later else None,
        heads=layers * heads,
        layers=layers,
        paths=float(result.single_paths[DENOISING]),
        remainder=remainder,
        longer=float(result.longer[DENOISING]),
        norm=float(result.norm[DENOISING]),
        complete=abs(remainder) <= NEGLIGIBLE * abs(denoising.total),
        held_out=_held_out(result) if result.held_out else None,
        controls=_controls(result) if result.controls else None,
    )


def _effect(result: Composition, way: int) -> Effect:
    total, direct = float(result.total[way]), float(result.direct[way])
    indirect = float(result.indirect[way])
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
    written = [result.full(way)[name] for way in (DENOISING, NOISING)]
    share, back = (
        part / float(direct) if direct else nan
        for part, direct in zip(written, result.direct, strict=True)
    )
    return Component(name, written[0], result.alone()[name], share, back, share * back <= 0)


def _strongest(later: list[Component], sign: int) -> Component | None:
    """What works most with the direct effect, or with sign -1 against it, if it counts."""
    counting = [each for each in later if sign * each.share >= NEGLIGIBLE]
    return max(counting, key=lambda each: sign * each.share, default=None)


def _held_out(result: Composition) -> HeldOut:
    of_total = held_out_shares(result)
    share, (low, high) = of_total["direct"]
    nothing = nan, (nan, nan)
    of_direct = held_out_shares(result, of="direct") if result.parts else {}
    largest = result.parts[0] if result.parts else ""
    largest_of_direct, interval = of_direct.get(largest, nothing)
    return HeldOut(
        share=share,
        interval=(low, high),
        exceeds=low > 1,
        mostly=low > 1 / 2,
        minor=high <= 1 / 2,
        largest_share=of_total.get(largest, nothing)[0],
        largest_of_direct=largest_of_direct,
        largest_interval=interval,
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
        total=total,
        as_large=total >= own_total / 2,
        change=change,
        own_change=own_change,
        change_less=change < own_change,
        per_unit=per_unit,
        own_per_unit=own_per_unit,
        weaker=per_unit < own_per_unit,
    )
