"""Sets of nodes that are tried together, and the drawn circuit on other pairs."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.engines.nodes import Node, Nodes
from analysis.errors import UserError
from analysis.experiments.circuit.edges import Edges
from analysis.experiments.circuit.graph import Graph
from analysis.experiments.circuit.measured import SHARES
from analysis.progress import Progress
from analysis.prompts import PromptPair

DRAWS = 10
"""Random circuits of every size."""


@dataclass(frozen=True)
class Sets:
    """Sets of nodes that are tried together."""

    sizes: list[int]
    sets: Bool[Tensor, "set node"]

    def fields(self, together: Float[Tensor, " set"]) -> dict[str, Any]:
        """The fields of the result, in the order of the sets."""
        count = len(self.sizes)
        lengths = [1, 1, DRAWS, count, count, DRAWS * count]
        nodes, without, matched, alone, complement, random = torch.split(together, lengths)
        return {
            "faithful_nodes": float(nodes),
            "without": float(without),
            "matched": matched.numpy(),
            "sizes": np.array(self.sizes),
            "alone": alone.numpy(),
            "complement": complement.numpy(),
            "random": random.view(DRAWS, count).numpy(),
        }


def sets_of(nodes: Nodes, order: Int[Tensor, " node"], drawn: list[Node], seed: int) -> Sets:
    """The drawn nodes, all others, others like them; by size the first, the rest, random ones."""
    total, generator = len(nodes.listed), torch.Generator().manual_seed(seed)
    sizes = [max(1, round(share * total)) for share in SHARES]
    chosen = _members(nodes, drawn)
    first = [_numbered(total, order[:size]) for size in sizes]
    random = [torch.randperm(total, generator=generator) for _ in range(DRAWS)]
    sets = [
        chosen,
        ~chosen,
        *(_matched(nodes, drawn, generator) for _ in range(DRAWS)),
        *first,
        *(~each for each in first),
        *(_numbered(total, each[:size]) for each in random for size in sizes),
    ]
    return Sets(sizes, torch.stack(sets))


def _numbered(total: int, numbers: Int[Tensor, " some"]) -> Bool[Tensor, " node"]:
    found = torch.zeros(total, dtype=torch.bool)
    found[numbers] = True
    return found


def _members(nodes: Nodes, some: Sequence[Node]) -> Bool[Tensor, " node"]:
    numbers = torch.tensor([nodes.number[node] for node in some], dtype=torch.long)
    return _numbered(len(nodes.listed), numbers)


def _matched(nodes: Nodes, drawn: list[Node], generator: torch.Generator) -> Bool[Tensor, " node"]:
    """As many other nodes of every kind at every position, as far as there are any."""
    found: list[Node] = []
    for kind, at in sorted({(node.kind, node.position) for node in drawn}):
        alike = [n for n in nodes.listed if (n.kind, n.position) == (kind, at) and n not in drawn]
        count = sum((node.kind, node.position) == (kind, at) for node in drawn)
        picked = torch.randperm(len(alike), generator=generator)[:count].tolist()
        found += [alike[i] for i in picked]
    return _members(nodes, found)


def from_end(pair: PromptPair) -> int:
    """How many tokens stand from the first difference on: circuits of as many can be compared."""
    return len(pair.clean.tokens) - pair.start


def confirm(
    graph: Graph,
    edges: Edges,
    kept: Bool[Tensor, "sender receiver"],
    held_out: Sequence[PromptPair],
    progress: Progress,
) -> dict[str, Any]:
    """The drawn graph in pairs that took no part in it, as far as their positions match.

    Pairs whose two prompts the model does not tell apart are left out.
    """
    names: list[str] = []
    rows: list[tuple[float, float, float]] = []
    others = ~_members(graph.nodes, edges.used(kept))
    for done, pair in enumerate(held_out, 1):
        if from_end(pair) == graph.nodes.suffix:
            with suppress(UserError):
                other = Graph(graph.subject, pair, graph.nodes.apart)
                faithful = float(Edges(other, edges.nodes).faithful(kept[None]))
                without = float(other.together(others[None]))
                names.append(f"{pair.clean.text} / {pair.corrupted.text}")
                rows.append((other.gap, faithful * other.gap, without * other.gap))
        progress(done / len(held_out))
    values = np.array(rows, np.float32).reshape(-1, 3)
    return {
        "held_out": tuple(names),
        "held_out_gap": values[:, 0],
        "held_out_faithful": values[:, 1],
        "held_out_without": values[:, 2],
    }
