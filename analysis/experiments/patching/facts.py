"""Which layers and heads carry the difference, by activation patching."""

from dataclasses import dataclass

import numpy as np

from analysis.criteria import HALF, LEADS_TWICE, MORE_THAN_ALL, NEARLY_ALL
from analysis.experiments.patching.compute import Patching
from analysis.pair_facts import verdicts as verdicts

NAMES = {"attn_out": "attention", "mlp_out": "MLP"}
BEST = 3


@dataclass(frozen=True)
class Component:
    """A component at the last position, by its name, and its recovery: denoising and noising."""

    name: str
    restored: float
    broken: float


@dataclass(frozen=True)
class Head:
    """An attention head, and its recovery (denoising) at all positions together."""

    layer: int
    head: int
    restored: float


@dataclass(frozen=True)
class Arrival:
    """The first layer at whose start the last position holds half of the difference."""

    layer: int  # that layer
    recovery: float  # of the residual stream at the last position there
    earlier: int  # the layer before, the first one if there is none
    before: float  # the same recovery there
    word_before: float  # there, of the residual stream at the exchanged word
    by_others: bool  # whether that is less than half of what then arrives


@dataclass(frozen=True)
class Facts:
    """What the maps show."""

    # attention and MLP of every layer at the last position, the best first
    components: tuple[Component, ...]
    best: tuple[Component, ...]  # the three best of them
    positive: int  # how many of those recover anything
    total: float  # what those recover, added up
    more_than_all: bool  # whether that is more than the whole difference
    sufficient: bool  # whether the best one restores nearly all of the difference
    necessary: bool  # whether without it half is gone
    word: str  # the first exchanged token of the clean prompt
    # when the difference reaches the last position; None where it never does
    arrival: Arrival | None
    heads: tuple[Head, ...]  # the two best heads, at all positions together
    one_head: bool  # whether the best of them stands alone
    head_suffices: bool  # whether it restores nearly all of the difference


def facts(result: Patching) -> Facts:
    """Read them off the maps."""
    components = _components(result)
    best = components[:BEST]
    positive = [each.restored for each in best if each.restored > 0]
    heads = _heads(result)
    most, *others = (head.restored for head in heads)
    return Facts(
        components=components,
        best=best,
        positive=len(positive),
        total=sum(positive),
        more_than_all=sum(positive) > MORE_THAN_ALL,
        sufficient=best[0].restored >= NEARLY_ALL,
        necessary=best[0].broken >= HALF,
        word=result.clean_tokens[result.start],
        arrival=_arrival(result),
        heads=heads,
        one_head=most >= HALF and all(most >= LEADS_TWICE * value for value in others),
        head_suffices=most >= NEARLY_ALL,
    )


def _components(result: Patching) -> tuple[Component, ...]:
    found = [
        Component(
            f"{NAMES[name]} {layer}",
            float(result.restored[row, layer, -1]),
            float(result.broken[row, layer, -1]),
        )
        for row, name in enumerate(result.components)
        if name in NAMES
        for layer in range(result.restored.shape[1])
    ]
    return tuple(sorted(found, key=lambda each: -each.restored))


def _arrival(result: Patching) -> Arrival | None:
    stream = result.restored[result.components.index("resid_pre")]
    reached = np.flatnonzero(stream[:, -1] >= HALF)
    if not len(reached):
        return None
    layer = int(reached[0])
    earlier = max(0, layer - 1)
    before, word = (float(stream[earlier, place]) for place in (-1, result.start))
    recovery = float(stream[layer, -1])
    return Arrival(
        layer, recovery, earlier, before, word, by_others=word < HALF * (recovery - before)
    )


def _heads(result: Patching) -> tuple[Head, ...]:
    """The best head, and the next one where there is one."""
    values = result.heads_restored
    places = [divmod(int(i), values.shape[1]) for i in np.argsort(-values, axis=None)[:2]]
    return tuple(Head(layer, head, float(values[layer, head])) for layer, head in places)
