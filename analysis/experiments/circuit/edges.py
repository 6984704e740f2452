"""What one node adds to another's input: exact path patching, edge by edge and many together."""

from collections.abc import Sequence
from itertools import groupby

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.engines.components import Shift, Stage
from analysis.engines.nodes import Node
from analysis.experiments.circuit.graph import Graph
from analysis.progress import Progress, silent


class Edges:
    """The edges among some nodes, from the exchanged tokens, the first sender, to the answer.

    Each node's write is measured alone: where a norm stands behind attention or MLP (Gemma), what
    several nodes of one of them write together is not exactly the sum.

    Args:
        graph: the pair of runs.
        nodes: senders and receivers, in the order in which they are computed.
    """

    def __init__(self, graph: Graph, nodes: Sequence[Node]) -> None:
        assert list(nodes) == sorted(nodes, key=computed_at)
        self.graph, self.nodes = graph, list(nodes)

    @property
    def possible(self) -> Bool[Tensor, "sender receiver"]:
        """Whether what the sender writes stands in what the receiver reads."""
        parallel = self.graph.subject.family.parallel
        last = len(self.graph.token) - 1
        found = torch.zeros(len(self.nodes) + 1, len(self.nodes) + 1, dtype=torch.bool)
        exchanged = self.graph.token.abs().amax(1) > 0
        for j, receiver in enumerate(self.nodes):
            at = receiver.position
            read = exchanged[: at + 1] if receiver.stage == "z" else exchanged[at]
            found[0, j] = read.any()
            for i, sender in enumerate(self.nodes):
                found[i + 1, j] = _reads(receiver, sender, parallel)
        found[0, -1] = exchanged[last]
        found[1:, -1] = torch.tensor([node.position == last for node in self.nodes])
        return found

    def used(self, kept: Bool[Tensor, "sender receiver"]) -> list[Node]:
        """The nodes that send along some edges."""
        sends = kept[1:].any(1).tolist()
        return [node for node, some in zip(self.nodes, sends, strict=True) if some]

    def _sent(self, shifts: Sequence[Shift]) -> Float[Tensor, "sender suffix d_model"]:
        """What senders of one layer and stage add to the residual stream."""
        written = self.graph.corrupted.written(shifts)
        sent = written.new_zeros(len(shifts), *self.graph.token.shape)
        for row, shift, each in zip(sent, shifts, written, strict=True):
            row[shift.position] = each
        return sent

    def _answer(
        self, receiver: Node, answers: dict[Stage, Float[Tensor, "row suffix _"]], rows: list[int]
    ) -> list[Shift]:
        """How the receiver's own values change, row by row."""
        layer, stage, at = receiver.layer, receiver.stage, receiver.position
        own = self.graph.nodes.own(receiver).to(self.graph.subject.device)
        return [Shift(layer, stage, at, answers[stage][row, at] * own) for row in rows]

    def effects(self, progress: Progress = silent) -> Float[Tensor, "sender receiver"]:
        """What each edge alone restores; NaN where there can be none.

        The sender's clean minus its corrupted output is added to what the receiver reads, and to
        nothing else: all other nodes keep their corrupted values while the receiver answers. Its
        changed value then goes on, and everything behind it answers (Wang et al.,
        "Interpretability in the Wild", 2022). To the answer it is the sender's output alone that
        is added to the final residual.
        """
        graph, possible = self.graph, self.possible
        sent = graph.token[None]
        for _, group in groupby(self.nodes, lambda node: (node.layer, node.stage)):
            shifts = [graph.shift(node, graph.corrupted, graph.clean) for node in group]
            sent = torch.cat([sent, self._sent(shifts)])
        places, shifts = [], []
        for layer in sorted({node.layer for node in self.nodes}):
            answers = graph.corrupted.heard(layer, sent)
            for j, receiver in enumerate(self.nodes):
                if receiver.layer == layer:
                    senders = possible[:, j].nonzero()[:, 0].tolist()
                    places += [(i, j) for i in senders]
                    shifts += self._answer(receiver, answers, senders)
        effects = torch.full(possible.shape, torch.nan)
        if places:
            i, j = torch.tensor(places).T
            effects[i, j] = graph.recovery(graph.corrupted.carried(shifts, progress))
        direct = possible[:, -1]
        final = graph.corrupted.entering[-1][-1]
        effects[direct, -1] = graph.recovery(final + sent[direct.to(sent.device), -1])
        return effects

    def faithful(self, kept: Bool[Tensor, "set sender receiver"]) -> Float[Tensor, " set"]:
        """How much comes back when differences travel along the edges of a set alone.

        The clean tokens are sent; each receiver reads its corrupted input and what its kept edges
        add to it. What no kept edge carries is as in the corrupted run.
        """
        graph, count = self.graph, len(kept)
        sent = graph.token.new_zeros(count, len(self.nodes) + 1, *graph.token.shape)
        sent[:, 0] = graph.token
        weights = kept.to(sent)
        for _, group in groupby(enumerate(self.nodes), lambda each: computed_at(each[1])[:2]):
            numbers, nodes = (list(each) for each in zip(*group, strict=True))
            reads = torch.einsum("ksr,kspd->rkpd", weights[:, :, numbers], sent)
            answers = graph.corrupted.heard(nodes[0].layer, reads.flatten(0, 1))
            shifts = []
            for row, node in enumerate(nodes):
                rows = list(range(row * count, (row + 1) * count))
                shifts += self._answer(node, answers, rows)
            written = rearrange(self._sent(shifts), "(r k) p d -> k r p d", k=count)
            sent[:, [number + 1 for number in numbers]] = written
        final = torch.einsum("ks,ksd->kd", weights[:, :, -1], sent[:, :, -1])
        return graph.recovery(graph.corrupted.entering[-1][-1] + final)


def computed_at(node: Node) -> tuple[int, bool, int, str, int]:
    """Sorts nodes by when they are computed: heads of a block before its neurons."""
    return (node.layer, node.stage != "z", node.position, node.kind, node.number)


def _reads(receiver: Node, sender: Node, parallel: bool) -> bool:
    """Whether a node comes behind another, at a position that it sees."""
    if receiver.layer == sender.layer:
        behind = (sender.stage, receiver.stage) == ("z", "activations") and not parallel
    else:
        behind = receiver.layer > sender.layer
    seen = receiver.position - sender.position
    return behind and (seen >= 0 if receiver.stage == "z" else seen == 0)
