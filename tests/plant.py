"""Planted ground truth: a neuron that fires on the clean prompt alone and writes the target."""

import torch
from torch import nn

from analysis.contrast import Contrast
from analysis.neuron import Neuron
from analysis.prompts import PromptPair
from analysis.subject import Subject
from tests.questions import make_tiny_pair
from tests.subjects import make_subject

ON = 4.0  # pre-activation on the clean prompt: the activation functions pass it nearly unchanged
LOUD = 40.0  # length of the write, many times what the random layers write
QUIET = 0.01  # all other neurons write so much less: planted ones are read as they were planted


def plant(subject: Subject, pair: PromptPair, neuron: Neuron, contrast: Contrast) -> None:
    """Rewrite one neuron's weights in place, before anything is cached from them."""
    mlp = subject.bridge.blocks[neuron.layer].mlp
    inputs = torch.stack(
        [_mlp_input(subject, p.tokens, neuron.layer) for p in (pair.clean, pair.corrupted)]
    )
    with torch.no_grad():
        if hasattr(mlp, "gate"):
            mlp.W_gate[:, neuron.number] = _solve(inputs, torch.tensor([ON, 0.0]))
            mlp.W_in[:, neuron.number] = _solve(inputs, torch.tensor([1.0, 0.0]))
        else:
            bias = 0 if mlp.b_in is None else mlp.b_in[neuron.number]
            mlp.W_in[:, neuron.number] = _solve(inputs, torch.tensor([ON, 0.0]) - bias)
        target, foil = contrast.weighted(subject.W_U, subject.logits(pair.clean.tokens)[-1])
        direction = target - foil
        mlp.W_out[neuron.number] = LOUD * direction / direction.norm()


def _mlp_input(subject: Subject, tokens: tuple[int, ...], layer: int) -> torch.Tensor:
    return subject.cache(tokens, "mlp.hook_in")["mlp.hook_in"][layer, -1]


def _solve(inputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The shortest weights whose products with the two inputs are the two values."""
    return torch.linalg.pinv(inputs) @ values


class Planted:
    """A model whose answer is what its last layer writes, with neurons planted in it."""

    def __init__(self, architecture: str) -> None:
        self.subject = make_subject(architecture)
        self.pair = make_tiny_pair(self.subject)
        self.mlps = [block.mlp for block in self.subject.bridge.blocks]
        with torch.no_grad():
            for mlp in self.mlps:
                mlp.W_out.mul_(QUIET)
        *parents, name = self.subject.family.final_norm.split(".")
        setattr(self.subject.model.get_submodule(".".join(parents)), name, nn.Identity())
        contrast, head = self.pair.contrast, self.subject.unembedding
        self.answer = (head[contrast.target_id] - head[contrast.foil_id]).detach()
        self.answer = self.answer / self.answer.norm()

    def read(self, layer, prompt, patched=()):
        """What the MLP reads at the end, some neurons patched from the other prompt."""
        other = self.pair.corrupted if prompt is self.pair.clean else self.pair.clean
        posts = self.subject.cache(other.tokens, "mlp.hook_post")["mlp.hook_post"]

        def put(post, hook):
            for neuron in patched:
                if f"blocks.{neuron.layer}." in hook.name:
                    post[0, -1, neuron.number] = posts[neuron.layer, -1, neuron.number]
            return post

        hooks = [(f"blocks.{i}.mlp.hook_post", put) for i in range(len(self.mlps))]
        with self.subject.bridge.hooks(fwd_hooks=hooks):
            return self.subject.cache(prompt.tokens, "mlp.hook_in")["mlp.hook_in"][layer, -1]

    def plant(self, neuron, cases, write):
        """Make the neuron's activation what is wanted in every case: (prompt, patched, value)."""
        read = torch.stack([self.read(neuron.layer, *case[:2]) for case in cases])
        wanted = torch.tensor([float(value) for *_, value in cases])
        inverse, mlp, n = torch.linalg.pinv(read), self.mlps[neuron.layer], neuron.number
        with torch.no_grad():
            if hasattr(mlp, "gate"):
                mlp.W_gate[:, n] = inverse @ torch.full_like(wanted, ON)
                mlp.W_in[:, n] = inverse @ (wanted / ON)
            else:
                mlp.W_in[:, n] = inverse @ (wanted - (0 if mlp.b_in is None else mlp.b_in[n]))
            mlp.W_out[n] = write

    def aside(self, seed):
        """A direction that the answer does not read."""
        drawn = torch.randn(len(self.answer), generator=torch.Generator().manual_seed(seed))
        return drawn - (drawn @ self.answer) * self.answer
