"""The nodes of a circuit: every value of a run belongs to exactly one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.engines.components import Components, Stage, Values
from analysis.neuron import Neuron

Kind = Literal["head", "mlp", "neuron"]


@dataclass(frozen=True, order=True)
class Node:
    """One component at one position.

    Attributes:
        layer: its block.
        stage: ``z`` of a head, ``activations`` of an MLP or a neuron.
        position: counted from the first that the two prompts differ in.
        kind: what it is.
        number: of the head or the neuron; of an MLP -1.
    """

    layer: int
    stage: Stage
    position: int
    kind: Kind
    number: int

    @property
    def name(self) -> str:
        """As in ``L23H0``, ``MLP 5`` and ``L25N1527``."""
        if self.kind == "mlp":
            return f"MLP {self.layer}"
        return f"L{self.layer}{'H' if self.kind == 'head' else 'N'}{self.number}"


class Nodes:
    """All heads, MLPs and, apart from their MLPs, some neurons, each at every position or its own.

    Args:
        run: whose values they are.
        heads: a layer has.
        apart: neurons that are nodes of their own, with their positions; an MLP's node is all its
            other neurons.
    """

    def __init__(self, run: Components, heads: int, apart: Sequence[tuple[Neuron, int]]) -> None:
        self.heads, self.d_mlp = heads, run.subject.d_mlp
        self.layers, self.suffix = run.subject.n_layers, len(run.entering[0])
        self.width = run.values["z"][0].shape[-1]
        self.apart = list(apart)

    @cached_property
    def listed(self) -> tuple[Node, ...]:
        """All of them, by number."""
        places = [(layer, at) for layer in range(self.layers) for at in range(self.suffix)]
        return (
            *(Node(i, "z", at, "head", head) for i, at in places for head in range(self.heads)),
            *(Node(i, "activations", at, "mlp", -1) for i, at in places),
            *(Node(n.layer, "activations", at, "neuron", n.number) for n, at in self.apart),
        )

    @cached_property
    def number(self) -> dict[Node, int]:
        """The number of each."""
        return {node: number for number, node in enumerate(self.listed)}

    def owner(self, layer: int, stage: Stage) -> Int[Tensor, "suffix width"]:
        """The number of the node to which each value belongs."""
        if stage == "z":
            numbers = torch.arange(self.suffix * self.heads).view(self.suffix, self.heads)
            numbers = numbers + layer * self.suffix * self.heads
            return numbers.repeat_interleave(self.width // self.heads, 1)
        first = self.layers * self.suffix * self.heads
        owner = first + layer * self.suffix + torch.arange(self.suffix)
        owner = owner[:, None].repeat(1, self.d_mlp)
        for i, (neuron, at) in enumerate(self.apart):
            if neuron.layer == layer:
                owner[at, neuron.number] = first + self.layers * self.suffix + i
        return owner

    def members(
        self, sets: Bool[Tensor, "set node"], layer: int, stage: Stage
    ) -> Bool[Tensor, "set suffix width"]:
        """The values that belong to the nodes of each set."""
        return sets[:, self.owner(layer, stage)]

    def own(self, node: Node) -> Bool[Tensor, " width"]:
        """The values of a node's stage, at its position, that are its own."""
        return self.owner(node.layer, node.stage)[node.position] == self.number[node]

    def sums(self, values: Values) -> Float[Tensor, " node"]:
        """What is told of single values, summed for each node."""
        found = torch.zeros(len(self.listed))
        for stage, layers in values.items():
            for layer, each in enumerate(layers):
                found.index_add_(
                    0, self.owner(layer, stage).flatten(), each.flatten().float().cpu()
                )
        return found
