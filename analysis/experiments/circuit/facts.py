"""Along which nodes the difference travels, and how much of it the drawn circuit carries."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analysis.criteria import AGREEMENT, HALF, NOTABLE
from analysis.experiments.circuit.measured import Circuit
from analysis.numbers.estimates import Estimate
from analysis.pair_facts import PairFacts, pair_facts

Verdict = Literal["whole", "half", "part", "none"]
"""The drawn edges alone bring back nearly all, half of it, less, or next to nothing."""


@dataclass(frozen=True)
class Opposed:
    """A node whose write to the answer works against it."""

    name: str
    effect: float  # of its edge to the answer
    source: str  # the node that drives it most; none if that edge is not drawn
    driven: float  # effect of that edge


@dataclass(frozen=True)
class Facts:
    """The circuit."""

    pair: PairFacts
    universe: int
    shortlist: int
    measured: int  # nodes between which edges were measured
    tried: int  # edges that were
    nodes: int  # drawn
    edges: int  # drawn
    least: float
    verdict: Verdict
    faithful: float
    faithful_nodes: float
    edges_matter: bool  # whether other edges among the drawn nodes change what they bring back
    without: float
    complete: bool  # whether next to nothing comes back through all others
    path: tuple[str, ...]  # nodes of the way whose weakest edge is strongest
    weakest: float  # that edge's effect
    opposed: Opposed | None  # the one that takes most back
    matched: float  # the most that other nodes of the same kinds bring back, in size
    beside_matched: bool  # whether the drawn nodes bring back more than all of these
    cpr: float
    cmd: float
    random_cpr: float
    random_cmd: float
    beside_random: bool  # whether the areas are better than those of random circuits
    most: float  # nodes that bring back nearly all, as a share of all nodes
    most_nodes: int
    pairs: int  # held-out pairs
    held_out: Estimate | None
    held_out_without: Estimate | None
    holds: bool  # whether it brings something back there, beyond doubt


def facts(result: Circuit) -> Facts:
    """Read them off."""
    path, weakest = _widest(result)
    near = int(np.argmax(result.alone >= AGREEMENT))
    matched = float(np.abs(result.matched).max(initial=0.0))
    pairs = len(result.held_out)
    held_out = result.over_pairs(result.held_out_faithful) if pairs else None
    return Facts(
        pair=pair_facts(result.clean_diff, result.corrupted_diff),
        universe=result.universe,
        shortlist=result.shortlist,
        measured=len(result.nodes),
        tried=int(np.isfinite(result.edges).sum()),
        nodes=len(result.drawn),
        edges=len(result.drawn_edges),
        least=result.least,
        verdict=_verdict(result),
        faithful=result.faithful,
        faithful_nodes=result.faithful_nodes,
        edges_matter=abs(result.faithful_nodes - result.faithful) > NOTABLE,
        without=result.without,
        complete=abs(result.without) < NOTABLE,
        path=path,
        weakest=weakest,
        opposed=_opposed(result),
        matched=matched,
        beside_matched=result.faithful_nodes > matched,
        cpr=result.cpr,
        cmd=result.cmd,
        random_cpr=result.random_cpr,
        random_cmd=result.random_cmd,
        beside_random=result.cpr > result.random_cpr and result.cmd < result.random_cmd,
        most=float(result.sizes[near] / result.universe),
        most_nodes=int(result.sizes[near]),
        pairs=pairs,
        held_out=held_out,
        held_out_without=result.over_pairs(result.held_out_without) if pairs else None,
        holds=held_out is not None and held_out.low > NOTABLE,
    )


def verdicts(result: Circuit) -> dict[str, Any]:
    """Whether the pair leaves anything to explain, in plain values."""
    return pair_facts(result.clean_diff, result.corrupted_diff).plain()


def _verdict(result: Circuit) -> Verdict:
    if result.faithful < NOTABLE:
        return "none"
    if result.faithful < HALF:
        return "part"
    return "half" if result.faithful < AGREEMENT else "whole"


def _widest(result: Circuit) -> tuple[tuple[str, ...], float]:
    """The way from the tokens to the answer whose weakest edge is strongest; none if none helps."""
    strength = np.where(result.kept, result.edges, 0.0)
    widths, before = [np.inf], [-1]
    for receiver in range(len(result.nodes) + 1):
        reached = [min(widths[i], strength[i, receiver]) for i in range(len(widths))]
        before.append(int(np.argmax(reached)))
        widths.append(max(reached))
    if widths[-1] <= 0:
        return (), 0.0
    path, at = [], before[-1]
    while at > 0:
        path.append(result.nodes[at - 1])
        at = before[at]
    return tuple(path[::-1]), float(widths[-1])


def _opposed(result: Circuit) -> Opposed | None:
    """The drawn node that takes most away from the answer, and what drives it."""
    direct = np.where(result.kept[1:, -1], result.edges[1:, -1], 0.0)
    if direct.min(initial=0.0) >= 0:
        return None
    node = int(direct.argmin())
    driving = np.where(result.kept[1:, node], result.edges[1:, node], 0.0)
    source = int(driving.argmin())
    return Opposed(
        name=result.nodes[node],
        effect=float(direct[node]),
        source=result.nodes[source] if driving[source] < 0 else "",
        driven=float(driving[source]),
    )
