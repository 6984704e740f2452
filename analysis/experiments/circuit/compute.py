"""Experiment 24: the circuit from the exchanged token to the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.engines.nodes import Node
from analysis.experiments.circuit.edges import Edges, computed_at
from analysis.experiments.circuit.graph import Graph
from analysis.experiments.circuit.measured import Circuit, curve_rows, edge_rows, node_rows
from analysis.experiments.circuit.sets import confirm, from_end, sets_of
from analysis.inputs import Inputs
from analysis.pair_result import pair_fields, pair_summary
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair
from analysis.subject import Subject

APART = 50
"""Neurons, each at its position, that are nodes of their own: those with the largest estimates."""

SHORTLIST = 150
"""Nodes that are patched alone, either way: those with the largest estimates."""

NODES = 30
"""Nodes between which edges are measured: those that alone move most."""

LEAST = 0.05
"""Share that an edge moves at least, if it is drawn, unless another is asked for."""

EDGE_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""Numbers of edges that are tried together: those with the largest effects."""


def run(subject: Subject, inputs: Inputs, progress: Progress) -> Circuit:
    """The circuit of the question's pair, and whether it serves on other pairs."""
    question = inputs.question
    pair = question.pair(subject)
    others = [each for each in question.other_pairs(subject) if from_end(each) == from_end(pair)]
    options = (inputs["least"], inputs["seed"])
    return circuit(subject, pair, others[: inputs["held_out"]], *options, progress=progress)


def circuit(
    subject: Subject,
    pair: PromptPair,
    held_out: Sequence[PromptPair] = (),
    least: float = LEAST,
    seed: int = 0,
    progress: Progress = silent,
) -> Circuit:
    """Choose nodes, measure the edges among them, and see what the graph alone brings back.

    Args:
        subject: the model.
        pair: chooses nodes and edges.
        held_out: pairs on which the drawn graph is tried; those count whose prompts differ as far
            from the end.
        least: share that an edge moves at least, either way, if it is drawn.
        seed: of random circuits.
        progress: told the finished fraction.

    Raises:
        UserError: the prompts do not differ in their logit difference.
    """
    graph = Graph(subject, pair, APART)
    ranked = _ranked(graph, part_of(progress, 0.1, 0.4))
    edges = Edges(graph, sorted(ranked.first, key=computed_at))
    effects = edges.effects(part_of(progress, 0.4, 0.7))
    kept = through(effects.abs() >= least)
    sizes, shown = _largest(effects)
    found = edges.faithful(torch.stack([kept, *shown]))
    tried = sets_of(graph.nodes, ranked.order, edges.used(kept), seed)
    together = graph.together(tried.sets, part_of(progress, 0.75, 0.85))
    confirmed = confirm(graph, edges, kept, held_out, part_of(progress, 0.85, 1.0))
    progress(1.0)
    return Circuit(
        **pair_fields(pair, graph.clean_diff, graph.corrupted_diff),
        tokens=pair.clean.strings,
        exchanged=pair.differing,
        universe=len(graph.nodes.listed),
        shortlist=len(ranked.alone),
        apart=len(graph.nodes.apart),
        **ranked.fields(edges.nodes, pair.start),
        edges=effects.numpy(),
        least=least,
        kept=kept.numpy(),
        faithful=float(found[0]),
        edge_sizes=sizes,
        edge_curve=found[1:].numpy(),
        **tried.fields(together),
        **confirmed,
    )


@dataclass(frozen=True)
class _Ranked:
    """All nodes by what they move alone, either way; beyond the shortlist by the estimate."""

    order: Int[Tensor, " node"]
    first: list[Node]
    alone: dict[Node, tuple[float, float]]

    def fields(self, nodes: Sequence[Node], start: int) -> dict[str, Any]:
        """The fields of the result that tell of some nodes."""
        restored, lost = np.array([self.alone[node] for node in nodes], np.float32).T
        return {
            "nodes": tuple(node.name for node in nodes),
            "positions": np.array([start + node.position for node in nodes]),
            "restored": restored,
            "lost": lost,
        }


def _ranked(graph: Graph, progress: Progress) -> _Ranked:
    estimated = graph.estimates().abs().amax(0).argsort(descending=True, stable=True)
    short, rest = estimated[:SHORTLIST], estimated[SHORTLIST:]
    nodes = [graph.nodes.listed[i] for i in short.tolist()]
    alone = graph.alone(nodes, progress)
    order = torch.cat([short[alone.abs().amax(0).argsort(descending=True, stable=True)], rest])
    return _Ranked(
        order=order,
        first=[graph.nodes.listed[i] for i in order[:NODES].tolist()],
        alone=dict(zip(nodes, map(tuple, alone.T.tolist()), strict=True)),
    )


def through(kept: Bool[Tensor, "sender receiver"]) -> Bool[Tensor, "sender receiver"]:
    """Of some edges those that are on a way from the exchanged tokens to the answer."""
    one = torch.ones(1, dtype=torch.bool)
    while True:
        reached = torch.cat([one, kept[:, :-1].any(0)])
        leads = torch.cat([kept[1:].any(1), one])
        left = kept & reached[:, None] & leads
        if bool((left == kept).all()):
            return kept
        kept = left


def _largest(
    effects: Float[Tensor, "sender receiver"],
) -> tuple[Int[np.ndarray, " some"], list[Bool[Tensor, "sender receiver"]]]:
    """So many of the edges with the largest effects, and those of them on a way through."""
    count = int(effects.isfinite().sum())
    sizes = sorted({*(size for size in EDGE_SIZES if size < count), count})
    strength = effects.abs().nan_to_num(nan=-1.0)
    order = strength.flatten().argsort(descending=True, stable=True)
    shown = []
    for size in sizes:
        chosen = torch.zeros(effects.numel(), dtype=torch.bool)
        chosen[order[:size]] = True
        shown.append(through(chosen.view_as(effects)))
    return np.array(sizes), shown


def summary(result: Circuit) -> dict[str, Any]:
    """The circuit in plain values: nodes, edges by size, curves with their areas, held out."""
    return {
        **pair_summary(result),
        "n_nodes": result.universe,
        "shortlist": result.shortlist,
        "least": result.least,
        "nodes": node_rows(result),
        "edges": edge_rows(result),
        "faithful": result.faithful,
        "faithful_nodes": result.faithful_nodes,
        "without": result.without,
        "matched": result.matched.tolist(),
        "cpr": result.cpr,
        "cmd": result.cmd,
        "random_cpr": result.random_cpr,
        "random_cmd": result.random_cmd,
        "curves": curve_rows(result),
        "edge_curve": [
            {"edges": int(size), "faithful": float(share)}
            for size, share in zip(result.edge_sizes, result.edge_curve, strict=True)
        ],
        "held_out": _held_out(result) if result.held_out else None,
    }


def _held_out(result: Circuit) -> dict[str, Any]:
    faithful, *span = result.over_pairs(result.held_out_faithful)
    without, *other = result.over_pairs(result.held_out_without)
    return {
        "pairs": len(result.held_out),
        "faithful": faithful,
        "faithful_interval": span,
        "without": without,
        "without_interval": other,
    }
