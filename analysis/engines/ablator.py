"""Replaces a neuron's activation, in prompts and in windows of text, and measures what follows.

Only the layers after the neuron's are run again, on the residual stream as it was but for
``(new - old) * W_out[n]``. This holds for parallel blocks too, whose MLP is added all the same.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from analysis.engines.patcher import Positions
from analysis.engines.tail import Tail
from analysis.family import part
from analysis.prompts import Contrast, Prompt
from analysis.subject import Subject

CHUNK_TOKENS = 1024
"""Tokens of windows that are run at once: bounds memory."""

ROWS = 256
"""Places whose predictions over the whole vocabulary are held at once: bounds memory."""


class TextTail(Tail):
    """The exact engine for many texts: their passes share one copy of the module tree.

    Args:
        tail: the engine of any text, whose blocks are used.
        tokens: the text.
        start: first position that may change.
    """

    def __init__(self, tail: Tail, tokens: tuple[int, ...], start: int) -> None:
        self.subject, self.start, self.length = tail.subject, start, len(tokens)
        self._blocks = tail._blocks
        self._prefix, self._rotary = self._run(tokens)

    @torch.inference_mode()
    def everywhere(
        self, resid: Float[Tensor, "window suffix d_model"], layer: int
    ) -> Float[Tensor, "window suffix d_model"]:
        """The final residual at every position, from the residual that leaves a layer.

        With ``start`` 0 nothing is left of the text itself: any windows of its length may go in.
        """
        for later in range(layer + 1, self.subject.n_layers):
            resid = self._step(resid, later)
        return resid


class Base:
    """Texts of one length as the plain model reads them.

    Attributes:
        activations: of the layer, [window pos d_mlp].
        leaving: residual stream behind the layer, [window pos d_model].
        normed: final residual behind the final norm, [window pos d_model].
    """

    @torch.inference_mode()
    def __init__(self, subject: Subject, layer: int, ids: Int[Tensor, "window pos"]) -> None:
        seen: dict[str, Tensor] = {}
        block = list(part(subject.model, subject.family.blocks).children())[layer]
        write = part(block, subject.family.mlp_out)
        hooks = (
            write.register_forward_pre_hook(partial(_keep_input, seen)),
            block.register_forward_hook(partial(_keep_output, seen)),
        )
        try:
            self.normed: Tensor = subject.model.base_model(ids, use_cache=False)[0]
        finally:
            for hook in hooks:
                hook.remove()
        self.activations, self.leaving = seen["activations"], seen["leaving"]


def _keep_input(seen: dict[str, Tensor], _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    seen["activations"] = inputs[0]


def _keep_output(seen: dict[str, Tensor], _module: nn.Module, _inputs: Any, output: Any) -> None:
    seen["leaving"] = output if isinstance(output, Tensor) else output[0]


class Predictions:
    """What the untouched model predicts in some places, to compare changed predictions with.

    Args:
        subject: the model.
        normed: final residuals behind the final norm.
        tokens: ids whose log-probabilities are followed, the same number in every place.

    Attributes:
        logs: log p(token) of the followed tokens.
    """

    @torch.inference_mode()
    def __init__(
        self,
        subject: Subject,
        normed: Float[Tensor, "row d_model"],
        tokens: Int[Tensor, "row token"],
    ) -> None:
        self._unembedding, self._normed, self._tokens = subject.unembedding, normed, tokens
        self._block, self._kept = -1, normed[:0]
        means, logs = [], []
        for block, some in enumerate(torch.split(tokens, ROWS)):
            means.append(self._before(block).exp().to(normed) @ self._unembedding)
            logs.append(self._before(block).gather(-1, some))
        self._mean_write = torch.cat(means)
        self.logs: Tensor = torch.cat(logs)

    def _before(self, block: int) -> Float[Tensor, "row vocab"]:
        """Old log-probabilities of one block of ``ROWS`` places; the last block asked for is kept.

        Matched neurons are all compared in the same few places, which are thus computed once.
        """
        if block != self._block:
            rows = self._normed[block * ROWS : (block + 1) * ROWS]
            self._kept = (rows @ self._unembedding.T).float().log_softmax(-1)
            self._block = block
        return self._kept

    @torch.inference_mode()
    def moved(
        self, after: Float[Tensor, "row d_model"]
    ) -> tuple[Float[Tensor, "row token"], Float[Tensor, " row"]]:
        """Change of the followed log-probabilities, and KL divergence from old to new, in nats.

        With ``d`` the change of the logits and ``p`` the old distribution, KL(p || q) =
        log sum(p exp(d)) - sum(p d): small changes keep their precision.

        Args:
            after: changed residuals behind the final norm, at the first so many places; at all the
                same place if there is but one.
        """
        alone = len(self._normed) == 1
        here = slice(1) if alone else slice(len(after))
        steps = after - self._normed[here]
        means = (steps.float() * self._mean_write[here].float()).sum(-1)
        scales, changes = [], []
        tokens = self._tokens[here].expand(len(after), -1)
        numbers = torch.arange(len(after), device=after.device)
        for block, rows in enumerate(torch.split(numbers, ROWS)):
            logits = (steps[rows] @ self._unembedding.T).float()
            changes.append(logits.gather(-1, tokens[rows]))
            logits += self._before(0) if alone else self._before(block)[: len(rows)]
            scales.append(logits.logsumexp(-1))
        scale = torch.cat(scales)
        return torch.cat(changes) - scale[:, None], (scale - means).clamp_min(0)


class PromptAblator:
    """One prompt, ready to have neurons of one layer replaced at its last position, or at all.

    Attributes:
        activations: of the layer at these positions, [suffix d_mlp].
        logit_diff: of the untouched prompt.
        p_target: of the untouched prompt.
    """

    @torch.inference_mode()
    def __init__(
        self,
        tail: Tail,
        layer: int,
        prompt: Prompt,
        contrast: Contrast,
        positions: Positions = "last",
    ) -> None:
        subject = tail.subject
        self.subject, self.layer = subject, layer
        self.start = 0 if positions == "all" else len(prompt.tokens) - 1
        base = Base(subject, layer, subject.batch(prompt.tokens))
        self.activations = base.activations[0, self.start :]
        self._leaving = base.leaving[0, self.start :]
        self._tail = TextTail(tail, prompt.tokens, self.start)
        pair = torch.tensor([[contrast.target_id, contrast.foil_id]], device=subject.device)
        self._predictions = Predictions(subject, base.normed[:, -1], pair)
        target, foil = self._predictions.logs[0].tolist()
        self.logit_diff, self.p_target = target - foil, float(np.exp(target))

    @torch.inference_mode()
    def effects(
        self, numbers: Sequence[int], values: Float[Tensor, "variant suffix"]
    ) -> Float[np.ndarray, "variant measure"]:
        """Logit difference, p(target) and KL divergence with a neuron's activation replaced.

        Args:
            numbers: which neuron of the layer each variant replaces.
            values: what its activation becomes at each position.
        """
        places = list(numbers)
        change = values.to(self.activations) - self.activations[:, places].T
        write = self.subject.W_out(self.layer)[places]
        width = max(1, CHUNK_TOKENS // change.shape[1])
        finals = [
            self._last(moved[..., None] * some[:, None])
            for moved, some in zip(
                torch.split(change, width), torch.split(write, width), strict=True
            )
        ]
        after = self.subject.final_norm(torch.cat(finals))
        changes, divergences = self._predictions.moved(after)
        diff = self.logit_diff + changes[:, 0] - changes[:, 1]
        p_target = self.p_target * changes[:, 0].exp()
        return torch.stack([diff, p_target, divergences], -1).cpu().numpy()

    def _last(
        self, change: Float[Tensor, "variant suffix d_model"]
    ) -> Float[Tensor, "variant d_model"]:
        """The last final residual of a few variants, a copy that holds on to no other position."""
        return self._tail.everywhere(self._leaving + change, self.layer)[:, -1].clone()


class WindowAblator:
    """Windows of equal length, ready to have neurons of one layer replaced at all positions.

    Attributes:
        activations: of the neurons asked for, [window pos neuron].
        loss: -log p(next token) at the measured places, in nats.
    """

    @torch.inference_mode()
    def __init__(
        self,
        tail: Tail,
        layer: int,
        numbers: Sequence[int],
        ids: Int[Tensor, "window pos"],
        places: Int[Tensor, "position 2"],
        following: Int[Tensor, " position"],
    ) -> None:
        subject = tail.subject
        self.subject, self.layer, self.numbers = subject, layer, list(numbers)
        self._places = places
        self._width = max(1, CHUNK_TOKENS // ids.shape[1])
        bases = [Base(subject, layer, some) for some in torch.split(ids, self._width)]
        self.activations = torch.cat([base.activations[..., self.numbers] for base in bases])
        self._leaving = torch.cat([base.leaving for base in bases])
        normed = torch.cat([base.normed for base in bases])[places[:, 0], places[:, 1]]
        self._predictions = Predictions(subject, normed, following[:, None])
        self._tail = TextTail(tail, tuple(ids[0].tolist()), 0)
        self.loss = -self._predictions.logs[:, 0].cpu().numpy()

    def here(self, column: int) -> Float[np.ndarray, " position"]:
        """The untouched activation of one of the neurons at the measured places."""
        window, pos = self._places.T
        return self.activations[window, pos, column].float().cpu().numpy()

    @torch.inference_mode()
    def effects(
        self, column: int, values: Float[Tensor, "some pos"]
    ) -> tuple[Float[np.ndarray, " position"], Float[np.ndarray, " position"]]:
        """Change of the loss, and KL divergence, at the places in the first so many windows.

        Args:
            column: which of the neurons asked for is replaced.
            values: what its activation becomes; windows beyond these are left out.
        """
        count = len(values)
        change = values.to(self.activations) - self.activations[:count, :, column]
        write = self.subject.W_out(self.layer)[self.numbers[column]]
        finals = [
            self._tail.everywhere(leaving + moved[..., None] * write, self.layer)
            for leaving, moved in zip(
                torch.split(self._leaving[:count], self._width),
                torch.split(change, self._width),
                strict=True,
            )
        ]
        window, pos = self._places[self._places[:, 0] < count].T
        after = self.subject.final_norm(torch.cat(finals)[window, pos])
        moved, divergences = self._predictions.moved(after)
        return -moved[:, 0].cpu().numpy(), divergences.cpu().numpy()
