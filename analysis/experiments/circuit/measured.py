"""What is measured of a circuit."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from analysis.pair_result import PairResult

SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Sizes of circuits as shares of all nodes: those of the field's benchmark, MIB."""


@dataclass(frozen=True)
class Circuit(PairResult):
    """Nodes between the exchanged tokens and the answer, and what they add to each other's input.

    A node is a head, an MLP or a neuron at one position; an MLP's node is all neurons of it that
    are none of their own. All shares are of clean minus corrupted. *Faithful* is what comes back
    when the clean tokens go in and only some nodes or edges carry on what that changes, all else
    held at its corrupted value. Axis ``sender`` begins with the exchanged tokens, axis ``receiver``
    ends with the answer; between them are ``nodes``.

    Attributes:
        tokens: of the clean prompt.
        exchanged: positions at which the corrupted prompt has another token.
        universe: number of all nodes.
        shortlist: nodes that were patched alone: those with the largest estimates.
        apart: neurons among all nodes.
        nodes: those between which edges were measured, in the order in which they are computed.
        positions: of the nodes.
        restored: what the clean value of each restores in the corrupted run, alone.
        lost: what its corrupted value takes away in the clean run.
        edges: what each edge restores alone; NaN where there can be none.
        least: share that an edge moves at least, either way, if it is drawn.
        kept: the edges that are drawn.
        faithful: of the drawn edges alone.
        faithful_nodes: of the drawn nodes alone, with all edges among them.
        without: of all nodes but the drawn.
        matched: of as many other nodes of the same kinds at the same positions, draw by draw.
        edge_sizes: numbers of edges, those with the largest effects.
        edge_curve: of these edges alone, those that are on no way through left out.
        sizes: numbers of nodes, ``SHARES`` of all of them, those that move most first.
        alone: of these nodes alone.
        complement: of all nodes but these.
        random: of as many nodes, drawn from all, draw by draw.
        held_out_faithful: what the drawn edges alone bring back there, in logits.
        held_out_without: what all nodes but the drawn bring back, in logits.
    """

    tokens: tuple[str, ...]
    exchanged: tuple[int, ...]
    universe: int
    shortlist: int
    apart: int
    nodes: tuple[str, ...]
    positions: Int[np.ndarray, " node"]
    restored: Float[np.ndarray, " node"]
    lost: Float[np.ndarray, " node"]
    edges: Float[np.ndarray, "sender receiver"]
    least: float
    kept: Bool[np.ndarray, "sender receiver"]
    faithful: float
    faithful_nodes: float
    without: float
    matched: Float[np.ndarray, " draw"]
    edge_sizes: Int[np.ndarray, " some"]
    edge_curve: Float[np.ndarray, " some"]
    sizes: Int[np.ndarray, " size"]
    alone: Float[np.ndarray, " size"]
    complement: Float[np.ndarray, " size"]
    random: Float[np.ndarray, "draw size"]
    held_out_faithful: Float[np.ndarray, " pair"]
    held_out_without: Float[np.ndarray, " pair"]

    @cached_property
    def drawn(self) -> list[int]:
        """The nodes of drawn edges, by their places in ``nodes``."""
        return np.flatnonzero(self.kept[1:].any(1)).tolist()

    @property
    def drawn_edges(self) -> list[tuple[int, int]]:
        """Sender and receiver of each drawn edge, the strongest first."""
        found = np.argwhere(self.kept).tolist()
        return sorted(((i, j) for i, j in found), key=lambda each: -abs(self.edges[each]))

    def place(self, node: int) -> str:
        """The token at which a node is, with its position."""
        return self.at(int(self.positions[node]))

    def source(self, receiver: int) -> int:
        """The position of the exchanged token that a node reads, or the answer behind them.

        Its own where that was exchanged, else the last one before it.
        """
        at = [*self.positions, len(self.tokens) - 1][receiver]
        return max(each for each in self.exchanged if each <= at)

    def at(self, position: int) -> str:
        """A token with its position."""
        return f"{self.tokens[position].strip()} ({position})"

    @property
    def cpr(self) -> float:
        """Area under the faithfulness of the nodes alone over their share: MIB's CPR."""
        return area(self.alone)

    @property
    def cmd(self) -> float:
        """Area between it and 1: MIB's CMD."""
        return area(np.abs(1 - self.alone))

    @property
    def random_cpr(self) -> float:
        """CPR of the random circuits, on average."""
        return float(np.mean([area(each) for each in self.random]))

    @property
    def random_cmd(self) -> float:
        """CMD of the random circuits, on average."""
        return float(np.mean([area(np.abs(1 - each)) for each in self.random]))


def area(curve: Float[np.ndarray, " size"]) -> float:
    """Area under a curve over ``SHARES`` by trapezia, from the smallest share on.

    As in the field's benchmark (Mueller et al., "MIB: A Mechanistic Interpretability Benchmark",
    2025); there the shares are of all edges, here of all nodes.
    """
    return float(np.trapezoid(curve, SHARES))


def node_rows(result: Circuit) -> list[dict[str, Any]]:
    """The drawn nodes in plain values, in the order in which they are computed."""
    return [
        {
            "name": result.nodes[i],
            "position": int(result.positions[i]),
            "token": result.tokens[int(result.positions[i])],
            "restored": float(result.restored[i]),
            "lost": float(result.lost[i]),
        }
        for i in result.drawn
    ]


def edge_rows(result: Circuit) -> list[dict[str, Any]]:
    """The drawn edges in plain values, the strongest first."""
    senders = ["token", *result.nodes]
    receivers = [*result.nodes, "answer"]
    places = [int(each) for each in result.positions]
    return [
        {
            "sender": senders[i],
            "sender_position": places[i - 1] if i else result.source(j),
            "receiver": receivers[j],
            "receiver_position": [*places, len(result.tokens) - 1][j],
            "effect": float(result.edges[i, j]),
        }
        for i, j in result.drawn_edges
    ]


def curve_rows(result: Circuit) -> list[dict[str, Any]]:
    """A row for each size: these nodes alone, all others, and random ones."""
    return [
        {
            "share": share,
            "nodes": int(result.sizes[k]),
            "alone": float(result.alone[k]),
            "without": float(result.complement[k]),
            "random": float(result.random[:, k].mean()),
            "random_range": [float(result.random[:, k].min()), float(result.random[:, k].max())],
        }
        for k, share in enumerate(SHARES)
    ]
