"""Replaces a neuron's activation, in prompts and in windows of text, and measures what follows.

Only the layers after the neuron's are run again, on the residual stream as it was but for what
``(new - old) * W_out[n]`` adds to it. This holds for parallel blocks too, whose MLP is added all
the same.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from analysis.contrast import Contrast
from analysis.engines.patcher import Positions
from analysis.engines.tail import Tail
from analysis.prompts import Prompt, going_on
from analysis.subject import Subject

CHUNK_TOKENS = 1024
"""Tokens of windows that are run at once: bounds memory."""

ROWS = 256
"""Places whose predictions over the whole vocabulary are held at once: bounds memory."""


class Base:
    """Texts of one length as the plain model reads them.

    Attributes:
        activations: of the layer, [window pos d_mlp].
        leaving: residual stream behind the layer, [window pos d_model].
        normed: final residual behind the final norm, [window pos d_model].
    """

    @torch.inference_mode()
    def __init__(self, subject: Subject, layer: int, ids: Int[Tensor, "window pos"]) -> None:
        block = subject.blocks[layer]
        activations: list[Tensor] = []
        leaving: list[Any] = []
        hook = block.register_forward_hook(lambda _m, _a, output: leaving.append(output))
        try:
            with subject.family.activations(block, activations.append):
                self.normed: Tensor = subject.model.base_model(ids, use_cache=False)[0]
        finally:
            hook.remove()
        (self.activations,) = activations
        self.leaving: Tensor = leaving[0] if isinstance(leaving[0], Tensor) else leaving[0][0]


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
        self._read_out, self._normed, self._tokens = subject.read_out, normed, tokens
        self._block, self._kept = -1, normed[:0]
        means, logs = [], []
        for block, some in enumerate(torch.split(tokens, ROWS)):
            means.append(self._before(block).exp().to(normed) @ self._read_out.weight)
            logs.append(self._before(block).gather(-1, some))
        self._mean_write = torch.cat(means)
        self.logs: Tensor = torch.cat(logs)

    def _before(self, block: int) -> Float[Tensor, "row vocab"]:
        """Old log-probabilities of one block of ``ROWS`` places; the last block asked for is kept.

        Matched neurons are all compared in the same few places, which are thus computed once.
        """
        if block != self._block:
            rows = self._normed[block * ROWS : (block + 1) * ROWS]
            self._kept = self._read_out.logits(rows).float().log_softmax(-1)
            self._block = block
        return self._kept

    @torch.inference_mode()
    def moved(
        self, after: Float[Tensor, "row d_model"]
    ) -> tuple[Float[Tensor, "row token"], Float[Tensor, " row"]]:
        """Change of the followed log-probabilities, and KL divergence from old to new, in nats.

        With ``u`` the change of the logits less its mean under ``p``, the old distribution,
        KL(p || q) = log sum(p exp(u)) = log(1 + sum(p (exp(u) - 1 - u))): nothing large is taken
        from anything large, so the smallest change keeps its precision. Where logits are capped,
        both sets of logits are made, as the change is not linear.

        Args:
            after: changed residuals behind the final norm, at the first so many places; at all the
                same place if there is but one.
        """
        alone = len(self._normed) == 1
        here = slice(1) if alone else slice(len(after))
        steps = after - self._normed[here]
        linear = self._read_out.cap is None
        means = self._read_out.scaled((steps.float() * self._mean_write[here].float()).sum(-1))
        changes, divergences = [], []
        tokens = self._tokens[here].expand(len(after), -1)
        numbers = torch.arange(len(after), device=after.device)
        for block, rows in enumerate(torch.split(numbers, ROWS)):
            before = self._before(0) if alone else self._before(block)[: len(rows)]
            if linear:
                moves = self._read_out.scaled((steps[rows] @ self._read_out.weight.T).float())
            else:
                old = self._normed[here].expand_as(after)[rows]
                moves = (self._read_out.logits(after[rows]) - self._read_out.logits(old)).float()
            moves -= (means[rows] if linear else (before.exp() * moves).sum(-1))[:, None]
            divergences.append(_divergence(before, moves))
            changes.append(moves.gather(-1, tokens[rows]) - divergences[-1][:, None])
        return torch.cat(changes), torch.cat(divergences)


def _divergence(
    before: Float[Tensor, "#row vocab"], moves: Float[Tensor, "row vocab"]
) -> Float[Tensor, " row"]:
    """Log of sum(p exp(u)), from log p and a u of which sum(p u) is zero."""
    excess = torch.linalg.vecdot(before.exp(), moves.expm1() - moves)
    if not excess.isfinite().all():  # exponentials overflow
        return (before + moves).logsumexp(-1)
    return excess.clamp_min(0).log1p()


class PromptAblator:
    """One prompt, ready to have neurons of one layer replaced at its last position, or at all.

    What it has to go on with, where target or foil is several tokens long, is computed again.

    Attributes:
        activations: of the layer at these positions, [suffix d_mlp].
        logit_diff: of the untouched prompt.
        p_target: of the untouched prompt.
    """

    @torch.inference_mode()
    def __init__(
        self,
        subject: Subject,
        layer: int,
        prompt: Prompt,
        contrast: Contrast,
        positions: Positions = "last",
    ) -> None:
        self.subject, self.layer, self.contrast = subject, layer, contrast
        end = len(prompt.tokens) - 1
        self.start = 0 if positions == "all" else end
        texts = going_on(subject, prompt, contrast)
        bases = [Base(subject, layer, subject.batch(tokens)) for tokens in texts]
        self.activations = bases[0].activations[0, self.start : end + 1]
        self._leaving = [base.leaving[0, self.start :] for base in bases]
        self._tails = [Tail(subject, tokens, self.start) for tokens in texts]
        followed = torch.tensor([[*contrast.targets, *contrast.foils]], device=subject.device)
        self._cut = len(contrast.targets)
        self._predictions = Predictions(subject, bases[0].normed[:, end], followed)
        if contrast.is_long:
            answers = self._of_words([base.normed[:, end:] for base in bases])
            self.logit_diff, self.p_target = (float(each) for each in answers)
        else:
            target, foil = self._joint(self._predictions.logs[0]).tolist()
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
        after = [self._after(number, change, write) for number in range(len(self._tails))]
        changes, divergences = self._predictions.moved(after[0][:, 0])
        if self.contrast.is_long:
            diff, p_target = self._of_words(after)
        else:
            changes = self._changes(changes)
            diff = self.logit_diff + changes[:, 0] - changes[:, 1]
            p_target = self.p_target * changes[:, 0].exp()
        return torch.stack([diff, p_target, divergences], -1).cpu().numpy()

    def _after(
        self,
        number: int,
        change: Float[Tensor, "variant suffix"],
        write: Float[Tensor, "variant d_model"],
    ) -> Float[Tensor, "variant place d_model"]:
        """What the final norm gives at the places of one text, neurons' activations changed."""
        width = max(1, CHUNK_TOKENS // change.shape[1])
        parts = zip(torch.split(change, width), torch.split(write, width), strict=True)
        finals = [
            self._last(number, self._added(moved[..., None] * some[:, None]))
            for moved, some in parts
        ]
        return self.subject.final_norm(torch.cat(finals))

    def _of_words(
        self, normed: Sequence[Float[Tensor, "variant _place d_model"]]
    ) -> tuple[Float[Tensor, " variant"], Float[Tensor, " variant"]]:
        """Logit difference and p(target), where one of the two is several tokens long."""
        head, contrast = self.subject.read_out, self.contrast
        return contrast.forced(head, normed), contrast.log_p_target(head, normed[0]).exp()

    def _joint(self, logs: Float[Tensor, "*variant token"]) -> Float[Tensor, "*variant 2"]:
        """Log p of the target and of the foil, each of all its tokens together."""
        target, foil = logs[..., : self._cut], logs[..., self._cut :]
        return torch.stack([target.logsumexp(-1), foil.logsumexp(-1)], -1)

    def _changes(self, changes: Float[Tensor, "variant token"]) -> Float[Tensor, "variant 2"]:
        """Change of both, from those of their tokens: of single ones that is their own."""
        if changes.shape[-1] == 2:
            return changes
        logs = self._predictions.logs[0]
        return self._joint(logs + changes) - self._joint(logs)

    def _added(
        self, change: Float[Tensor, "variant suffix d_model"]
    ) -> Float[Tensor, "variant suffix d_model"]:
        """What a change of the MLP's output adds to the residual stream."""
        before = self.subject.before_norm(self.layer, self.activations)
        return self.subject.added(self.layer, before, change)

    def _last(
        self, number: int, change: Float[Tensor, "variant suffix d_model"]
    ) -> Float[Tensor, "variant place d_model"]:
        """Final residuals of a few variants at the places of one text.

        It is a copy, which holds on to no other position.
        """
        leaving, places = self._leaving[number], self.contrast.passes[number].places
        resid = leaving + pad(change, (0, 0, 0, places - 1))
        return self._tails[number].everywhere(resid, self.layer)[:, -places:].clone()


class WindowAblator:
    """Windows of equal length, ready to have neurons of one layer replaced at all positions.

    Attributes:
        activations: of the neurons asked for, [window pos neuron].
        loss: -log p(next token) at the measured places, in nats.
    """

    @torch.inference_mode()
    def __init__(
        self,
        subject: Subject,
        layer: int,
        numbers: Sequence[int],
        ids: Int[Tensor, "window pos"],
        places: Int[Tensor, "position 2"],
        following: Int[Tensor, " position"],
    ) -> None:
        self.subject, self.layer, self.numbers = subject, layer, list(numbers)
        self._places = places
        self._width = max(1, CHUNK_TOKENS // ids.shape[1])
        bases = [Base(subject, layer, some) for some in torch.split(ids, self._width)]
        self._before = [subject.before_norm(layer, base.activations) for base in bases]
        self.activations = torch.cat([base.activations[..., self.numbers] for base in bases])
        self._leaving = torch.cat([base.leaving for base in bases])
        normed = torch.cat([base.normed for base in bases])[places[:, 0], places[:, 1]]
        self._predictions = Predictions(subject, normed, following[:, None])
        self._tail = Tail(subject, tuple(ids[0].tolist()), 0)
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
            self._tail.everywhere(
                leaving + self._added(before, moved[..., None] * write), self.layer
            )
            for leaving, moved, before in zip(
                torch.split(self._leaving[:count], self._width),
                torch.split(change, self._width),
                self._before,
                strict=False,
            )
        ]
        window, pos = self._places[self._places[:, 0] < count].T
        after = self.subject.final_norm(torch.cat(finals)[window, pos])
        moved, divergences = self._predictions.moved(after)
        return -moved[:, 0].cpu().numpy(), divergences.cpu().numpy()

    def _added(
        self, before: Float[Tensor, "window pos d_model"] | None, change: Tensor
    ) -> Float[Tensor, "some pos d_model"]:
        """What changes of the MLP's output in the first windows of some add to the residual."""
        return self.subject.added(
            self.layer, None if before is None else before[: len(change)], change
        )
