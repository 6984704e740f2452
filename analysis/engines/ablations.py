"""One neuron and those like it, ablated by every method: in prompts, and in windows of a corpus."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.ablator import Base, PromptAblator, WindowAblator
from analysis.engines.evaluation_positions import EvaluationPositions
from analysis.engines.patcher import Positions
from analysis.engines.replacement import METHODS, Draw, Pool
from analysis.progress import Progress
from analysis.prompts import Prompt
from analysis.subject import Subject

MEASURES = ("logit_diff", "p_target", "kl")

IN_TEMPLATE = "in_template"
"""Resampling in prompts from the ends of the set's own that call for the foil. A neuron that is
silent on news draws values near zero there, so that zero, mean and draws are one test; these are
what it does in the same sentence."""

CONTROL_METHOD = "mean"
"""How matched neurons are ablated on the corpus, where every method would take too long."""


class PromptAblations:
    """Ablates the neuron and those like it, in prompts of any lengths."""

    def __init__(
        self,
        subject: Subject,
        layer: int,
        numbers: list[int],
        pool: Pool,
        draws: tuple[int, int],
        seed: int,
    ) -> None:
        self.subject, self.layer, self.numbers = subject, layer, numbers
        self.pool = pool
        self.draws, self.matched_draws = draws
        self._rng, self._template_rng = (np.random.default_rng([seed, i]) for i in (1, 3))

    def all(
        self,
        prompts: Sequence[Prompt],
        contrast: Contrast,
        positions: Positions,
        donors: Sequence[int],
        progress: Progress,
    ) -> dict[str, Any]:
        """The fields of the result that have one row a prompt, or one column for matched ones.

        Args:
            prompts: the prompts.
            contrast: target and foil.
            positions: where they are changed.
            donors: numbers of the prompts whose ends in-template draws are taken from, two at
                least, or there are no such draws: a prompt is never given its own value.
            progress: told the finished fraction.
        """
        donors = donors if len(donors) > 1 else ()
        ends = self._ends([prompts[i] for i in donors])
        rows = []
        for done, prompt in enumerate(prompts, start=1):
            ablator = PromptAblator(self.subject, self.layer, prompt, contrast, positions)
            others = [i for i, donor in enumerate(donors) if donor != done - 1]
            rows.append(self._one(ablator, ends[others]))
            progress(done / len(prompts))
        fields = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        for name in ("matched_activation", "matched_ablated"):
            fields[name] = fields[name].swapaxes(0, 1)
        return fields | {"methods": (*METHODS, IN_TEMPLATE) if donors else METHODS}

    def _ends(self, prompts: Sequence[Prompt]) -> Float[Tensor, "prompt neuron"]:
        """The neurons' activations at the last position of some prompts."""
        subject, rows = self.subject, []
        for prompt in prompts:
            base = Base(subject, self.layer, subject.batch(prompt.tokens))
            rows.append(base.activations[0, -1, self.numbers].clone())
        return torch.stack(rows) if rows else torch.zeros(0, len(self.numbers))

    def _one(self, ablator: PromptAblator, ends: Float[Tensor, "donor neuron"]) -> dict[str, Any]:
        """One prompt: every neuron, every method, in one batch of variants."""
        draw = self.pool.draw(self._rng, self.draws, len(ablator.activations))
        draws = self.draws if len(ends) else 0
        picked = self._template_rng.integers(0, max(1, len(ends)), draws)
        values = [
            self._values(ablator, column, draw, ends[picked, column])
            for column in range(len(self.numbers))
        ]
        numbers = [n for n, rows in zip(self.numbers, values, strict=True) for _ in rows]
        effects = ablator.effects(numbers, torch.cat(values)).astype(np.float32)
        sizes = np.cumsum([len(rows) for rows in values])[:-1]
        mine, *theirs = np.split(effects, sizes)
        activations = ablator.activations[-1, self.numbers].float().cpu().numpy()
        ablated = _by_method(mine, self.draws)
        averaged = [_by_method(rows, self.matched_draws) for rows in theirs]
        put, news = values[0][:, -1].float().cpu().numpy(), slice(3, 3 + self.draws)
        return {
            "activation": activations[0],
            "baseline": np.array([ablator.logit_diff, ablator.p_target, 0], dtype=np.float32),
            "ablated": ablated,
            "resampled": mine[news],
            "drawn": put[news],
            "template_resampled": mine[news.stop :],
            "template_drawn": put[news.stop :],
            "matched_activation": activations[1:],
            "matched_ablated": np.array(averaged, np.float32).reshape(-1, *ablated.shape),
        }

    def _values(
        self, ablator: PromptAblator, column: int, draw: Draw, ends: Float[Tensor, " draw"]
    ) -> Float[Tensor, "variant suffix"]:
        """Zero, mean, negated, and the draws: all of them for the neuron, fewer for others."""
        own = ablator.activations[:, self.numbers[column]]
        mean = self.pool.mean(column, ablator.start, len(own))
        drawn = self.pool.drawn(draw, column, ablator.start)
        some = self.draws if column == 0 else self.matched_draws
        template = ends[:some, None].to(drawn).expand(-1, len(own))
        return torch.cat([torch.stack([0 * own, mean, -own]), drawn[:some], template])


def _by_method(effects: Float[np.ndarray, "variant measure"], draws: int) -> np.ndarray:
    """The measures by method, in the order of the result, draws averaged."""
    zero, mean, negate = effects[:3]
    news, template = effects[3 : 3 + draws], effects[3 + draws :]
    rows = [zero, mean, news.mean(0), negate]
    return np.stack([*rows, template.mean(0)] if len(template) else rows)


class WindowAblations:
    """Ablates the neuron and those like it in corpus windows, at all positions."""

    def __init__(
        self,
        subject: Subject,
        layer: int,
        numbers: list[int],
        places: list[EvaluationPositions],
        seed: int,
    ) -> None:
        self.places = places
        self._rng = np.random.default_rng([seed, 2])
        positions_at = [(i, pos) for i, place in enumerate(places) for pos in place.positions]
        following = [token for place in places for token in place.following]
        ids, at, after = (
            torch.tensor(rows, device=subject.device)
            for rows in ([place.window.tokens for place in places], positions_at, following)
        )
        self.ablator = WindowAblator(subject, layer, numbers, ids, at, after)
        self._window = at[:, 0].cpu().numpy()
        unchosen = [i for i, place in enumerate(places) if not place.is_target]
        seen = self.ablator.activations[unchosen]
        self.pool = Pool(seen[:, 0], seen[:, 1:])
        order = {window: i for i, window in enumerate(unchosen)}
        self._own = [order.get(i, -1) for i in range(len(places))]

    def measured(self, matched_windows: int, progress: Progress) -> dict[str, Any]:
        """The fields of the result that the corpus gives."""
        mine = []
        for done, method in enumerate(METHODS, start=1):
            mine.append(self._effects(0, method, len(self.places)))
            progress(0.5 * done / len(METHODS))
        count = min(2 * matched_windows, len(self.places))
        theirs = []
        for column in range(1, len(self.ablator.numbers)):
            theirs.append(self._effects(column, CONTROL_METHOD, count))
            progress(0.5 + 0.5 * column / len(self.ablator.numbers))
        progress(1.0)
        compared = self._window < count
        change, kl = np.array(mine, np.float32).swapaxes(0, 1)
        empty = np.zeros((0, 2, int(compared.sum())), np.float32)
        their_change, their_kl = np.array(theirs or empty, np.float32).swapaxes(0, 1)
        positions_of = [self.places[i] for i in self._window]
        return {
            "window_tokens": self.ablator.activations.shape[1],
            "position_document": np.array([place.window.document for place in positions_of]),
            "position_target": np.array([place.is_target for place in positions_of]),
            "position_activation": self.ablator.here(0),
            "position_loss": self.ablator.loss,
            "position_change": change,
            "position_kl": kl,
            "position_compared": compared,
            "matched_change": their_change,
            "matched_kl": their_kl,
        }

    def _effects(self, column: int, method: str, count: int) -> tuple[np.ndarray, np.ndarray]:
        return self.ablator.effects(column, self._values(column, method)[:count])

    def _values(self, column: int, method: str) -> Float[Tensor, "window pos"]:
        own = self.ablator.activations[..., column]
        if method == "mean":
            mean = self.pool.mean(column, 0, own.shape[1])
            return repeat(mean, "pos -> window pos", window=len(own))
        if method == "resample":
            return self.pool.drawn(
                self.pool.draw(self._rng, len(own), own.shape[1], self._own), column, 0
            )
        return -own if method == "negate" else 0 * own
