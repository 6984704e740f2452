"""One pair of runs as a graph: what its nodes do alone, what sets of them do, what is corrupted."""

from collections.abc import Sequence
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.engines.component_attribution import attribute_values
from analysis.engines.components import STAGES, Components, Shift, Stage, Values
from analysis.engines.nodes import Node, Nodes
from analysis.neuron import Neuron
from analysis.progress import Progress, part_of, silent
from analysis.prompts import PromptPair, check_gap
from analysis.subject import Subject


class Graph:
    """Two runs from the first differing token on, and all nodes between that and the answer.

    All shares are of the clean minus the corrupted logit difference.

    Attributes:
        clean_diff: logit difference of the clean prompt.
        corrupted_diff: logit difference of the corrupted prompt.
        nodes: all of them.

    Args:
        subject: the model.
        pair: the question.
        apart: neurons, with their positions counted from the first differing token, that are nodes
            of their own; or how many of those with the largest estimates.

    Raises:
        UserError: the prompts do not differ in their logit difference.
    """

    def __init__(
        self, subject: Subject, pair: PromptPair, apart: int | Sequence[tuple[Neuron, int]]
    ) -> None:
        self.subject, self.pair = subject, pair
        self.clean, self.corrupted = (
            Components(subject, each.tokens, pair.start) for each in (pair.clean, pair.corrupted)
        )
        self.clean_diff, self.corrupted_diff = (
            float(self._diff(run.entering[-1][-1])) for run in (self.clean, self.corrupted)
        )
        self.gap = check_gap(self.clean_diff, self.corrupted_diff)
        heads = int(subject.config.num_attention_heads)
        listed = self._strongest(apart) if isinstance(apart, int) else apart
        self.nodes = Nodes(self.corrupted, heads, listed)

    def _diff(self, final: Tensor) -> Tensor:
        contrast = self.pair.contrast
        return contrast.read(self.subject, final)

    def recovery(self, finals: Float[Tensor, "run d_model"]) -> Float[Tensor, " run"]:
        """How far the logit difference of changed corrupted runs has come back."""
        return (self._diff(finals) - self.corrupted_diff).cpu() / self.gap

    @cached_property
    def _estimates(self) -> tuple[Values, Values]:
        """By the gradient: what each value alone restores, and what is lost without it."""
        directions = (
            (self.pair.corrupted, self.corrupted, self.clean, self.gap),
            (self.pair.clean, self.clean, self.corrupted, -self.gap),
        )
        found = []
        for prompt, own, other, gap in directions:
            values = attribute_values(self.subject, prompt.tokens, self.pair.contrast, own, other)
            found.append({stage: [each / gap for each in values[stage]] for stage in STAGES})
        return found[0], found[1]

    def _strongest(self, count: int) -> list[tuple[Neuron, int]]:
        """The neurons, each at its position, with the largest estimates either way."""
        sizes = [torch.stack(values["activations"]).abs() for values in self._estimates]
        largest = torch.maximum(*sizes)
        _, suffix, d_mlp = largest.shape
        chosen = largest.flatten().topk(min(count, largest.numel())).indices.tolist()
        found = [(*divmod(i // d_mlp, suffix), i % d_mlp) for i in chosen]
        return [(Neuron(layer, number), at) for layer, at, number in found]

    def estimates(self) -> Float[Tensor, "2 node"]:
        """By the gradient: what each node alone restores, and what is lost without it."""
        return torch.stack([self.nodes.sums(values) for values in self._estimates])

    def alone(self, nodes: Sequence[Node], progress: Progress = silent) -> Float[Tensor, "2 some"]:
        """What each node's clean value restores, and what its corrupted value takes away."""
        runs = (self.corrupted, self.clean)
        found = []
        for done, (own, other) in enumerate((runs, runs[::-1])):
            shifts = [self.shift(node, own, other) for node in nodes]
            part = part_of(progress, done / 2, (done + 1) / 2)
            found.append(self.recovery(own.carried(shifts, part)))
        return torch.stack([found[0], 1 - found[1]])

    def shift(self, node: Node, own: Components, other: Components) -> Shift:
        """What puts a node's value of another run into this one."""
        layer, stage, at = node.layer, node.stage, node.position
        change = other.values[stage][layer][at] - own.values[stage][layer][at]
        mine = self.nodes.own(node).to(change.device)
        return Shift(layer, stage, at, change * mine)

    def together(
        self, sets: Bool[Tensor, "set node"], progress: Progress = silent
    ) -> Float[Tensor, " set"]:
        """How faithful sets of nodes are: the clean tokens go in, and only they are computed.

        Every other node is held at its corrupted value, at every position.
        """

        def kept(layer: int, stage: Stage, some: slice) -> Bool[Tensor, "set suffix width"]:
            return self.nodes.members(sets[some], layer, stage).to(self.subject.device)

        finals = self.corrupted.computing(self.clean.entering[0], len(sets), kept, progress)
        return self.recovery(finals)

    @property
    def token(self) -> Float[Tensor, "suffix d_model"]:
        """What exchanging the tokens adds to the residual stream that enters the first block."""
        return self.clean.entering[0] - self.corrupted.entering[0]
