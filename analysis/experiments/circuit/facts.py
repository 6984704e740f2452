"""Along which nodes the difference travels, and how much of it the drawn circuit carries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analysis.criteria import AGREEMENT, HALF, MORE_THAN_ALL, NOTABLE
from analysis.experiments.circuit.measured import Circuit, area
from analysis.grounds import Ground
from analysis.numbers.estimates import Estimate
from analysis.pair_facts import verdicts as of_the_pair

Verdict = Literal["beyond", "whole", "half", "part", "none", "against"]
"""The drawn edges alone bring back more than all, nearly all, half of it, less, or next to nothing;
or they move the answer the other way."""

EXCHANGED = "token"
"""What the rows of edges call the exchanged token."""

ANSWER = "answer"
"""What they call what all ways lead to."""


@dataclass(frozen=True)
class Opposed:
    """A node whose write to the answer works against it."""

    name: str
    effect: float  # of its edge to the answer
    source: str  # the node, or EXCHANGED, that drives it most; none if no such edge is drawn
    driven: float  # effect of that edge


@dataclass(frozen=True)
class Aside:
    """Edges that move enough to be drawn, but lie on no way from the tokens to the answer."""

    edges: int
    sender: str  # of the strongest: a node, or EXCHANGED
    receiver: str  # a node, or ANSWER
    effect: float


@dataclass(frozen=True)
class Facts:
    """The circuit."""

    tried: int  # edges that were
    aside: Aside | None  # strong edges that are not drawn; None where all are
    verdict: Verdict
    edges_matter: bool  # whether other edges among the drawn nodes change what they bring back
    complete: bool  # whether next to nothing comes back through all others
    others_against: bool  # whether all others move the answer the other way
    path: tuple[str, ...]  # nodes of the way whose weakest edge is strongest; none if straight
    weakest: float  # that edge's effect; 0 where no way has edges that all help
    opposed: Opposed | None  # the one that takes most back
    matched: float  # the most that other nodes of the same kinds bring back
    beside_matched: bool  # whether the drawn nodes bring back more than all of these
    random_cpr: float  # the best of random circuits
    random_cmd: float
    beside_random: bool  # whether the areas are better than those of every random circuit
    source: str  # the drawn MLP at an exchanged token without which most is lost; empty if none
    most: float  # nodes that bring back nearly all, as a share of all nodes
    most_nodes: int
    held_out: Estimate | None
    held_out_without: Estimate | None
    holds: bool  # whether it brings back half as much there, beyond doubt


def facts(result: Circuit) -> Facts:
    """Read them off."""
    path, weakest = _widest(result)
    near = int(np.argmax(result.alone >= AGREEMENT))
    matched = float(result.matched.max(initial=0.0))
    random_cpr = max(area(each) for each in result.random)
    random_cmd = min(area(np.abs(1 - each)) for each in result.random)
    held_out = result.over_pairs(result.held_out_faithful) if result.held_out else None
    return Facts(
        tried=int(np.isfinite(result.edges).sum()),
        aside=_aside(result),
        verdict=_verdict(result),
        edges_matter=abs(result.faithful_nodes - result.faithful) > NOTABLE,
        complete=abs(result.without) < NOTABLE,
        others_against=result.without <= -NOTABLE,
        path=path,
        weakest=weakest,
        opposed=_opposed(result),
        matched=matched,
        beside_matched=result.faithful_nodes > matched,
        random_cpr=random_cpr,
        random_cmd=random_cmd,
        beside_random=result.cpr > random_cpr and result.cmd < random_cmd,
        source=_source(result),
        most=float(result.sizes[near] / result.universe),
        most_nodes=int(result.sizes[near]),
        held_out=held_out,
        held_out_without=result.over_pairs(result.held_out_without) if result.held_out else None,
        holds=held_out is not None and held_out.low > max(NOTABLE, HALF * result.faithful),
    )


def verdicts(result: Circuit) -> dict[str, Any]:
    """Whether the pair leaves anything to explain, and what the drawn edges carry alone."""
    return {**of_the_pair(result), "verdict": _verdict(result)}


def grounds(found: Facts, result: Circuit) -> Iterator[Ground]:
    """Pairs of prompts are the sample."""
    if result.drawn_edges and found.held_out and np.isfinite(found.held_out.low):
        yield Ground("held_out", {"prompt_pair": len(result.held_out)}, "bootstrap")


def _aside(result: Circuit) -> Aside | None:
    """The strong edges that are not drawn."""
    sizes = np.where(result.kept | np.isnan(result.edges), 0.0, np.abs(result.edges))
    sender, receiver = np.unravel_index(int(sizes.argmax()), sizes.shape)
    edges = int((sizes >= result.least).sum())
    if not edges:
        return None
    return Aside(
        edges,
        sender=(EXCHANGED, *result.nodes)[sender],
        receiver=(*result.nodes, ANSWER)[receiver],
        effect=float(result.edges[sender, receiver]),
    )


def _verdict(result: Circuit) -> Verdict:
    if result.faithful < -NOTABLE:
        return "against"
    if result.faithful < NOTABLE:
        return "none"
    if result.faithful < HALF:
        return "part"
    if result.faithful < AGREEMENT:
        return "half"
    return "beyond" if result.faithful > MORE_THAN_ALL else "whole"


def _source(result: Circuit) -> str:
    """The drawn MLP at an exchanged token whose corrupted value takes away most, if it is half."""
    there = [
        i
        for i in result.drawn
        if result.nodes[i].startswith("MLP") and result.positions[i] in result.exchanged
    ]
    most = max(there, key=lambda i: result.lost[i], default=None)
    return result.nodes[most] if most is not None and result.lost[most] >= HALF else ""


def _widest(result: Circuit) -> tuple[tuple[str, ...], float]:
    """The way from the tokens to the answer whose weakest edge is strongest, and its effect."""
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
    driving = np.where(result.kept[:, node], result.edges[:, node], 0.0)
    source = int(driving.argmin())
    return Opposed(
        name=result.nodes[node],
        effect=float(direct[node]),
        source=(EXCHANGED, *result.nodes)[source] if driving[source] < 0 else "",
        driven=float(driving[source]),
    )
