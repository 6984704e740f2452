"""Where the answer appears: where the logit lens rises, and whether to trust it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.criteria import SAME_READING, SPECIFIC
from analysis.experiments.logit_lens.compute import LogitLens
from analysis.original.published import asks_the_same, document, lens_curve
from analysis.pair_facts import PairFacts, of_pair


@dataclass(frozen=True)
class Jump:
    """What a half layer makes of a clean prompt's curve, beside the corrupted prompt's."""

    component: str  # what wrote it, such as "MLP 25"
    step: int  # number of the reading before it, from 0
    depth: float  # the share of all half layers that have run when it has written
    before: float  # the readings around it, in logits
    after: float
    corrupted: float | None  # how much the other curve rises there; None without such a prompt

    @property
    def rise(self) -> float:
        """From the one reading to the other."""
        return self.after - self.before

    @property
    def changes_sign(self) -> bool:
        """Whether the lens reads the foil before it and the target after it."""
        return self.before < 0 < self.after


@dataclass(frozen=True)
class Facts:
    """What the curves show."""

    jump: Jump  # where the clean prompt's curve rises most
    specific: bool  # whether the corrupted prompt's curve rises much less there
    at: Jump  # where the lens points: there if so, else where the two curves part most
    first: tuple[float, ...]  # the clean prompt's first reading, and the corrupted one's
    starts_equal: bool  # whether all first readings are the same
    answer: float  # the model's own logit difference after the clean prompt
    error: float  # of the last readings, at most, against the model's own; ``exact`` if that is nil
    exact: bool
    pair: PairFacts | None  # the model's choice after both prompts; None where there is one
    published: Jump | None  # the jump of the original's curve, where it asked the same


def facts(result: LogitLens) -> Facts:
    """Read them off the curves."""
    curves = result.logit_diff[:2]
    jump = largest_jump(*curves)
    specific = jump.corrupted is not None and jump.corrupted < SPECIFIC * jump.rise
    first = result.logit_diff[:2, 0].tolist()
    error = float(np.abs(result.logit_diff[:, -1] - result.model_logit_diff).max())
    theirs = document()
    same = asks_the_same(theirs, result.prompts[0], result.target, result.foil)
    return Facts(
        jump=jump,
        specific=specific,
        at=jump if specific or len(curves) < 2 else _jump(np.diff(curves[0] - curves[1]), *curves),
        first=tuple(first),
        starts_equal=max(first) - min(first) <= SAME_READING,
        answer=float(result.model_logit_diff[0]),
        error=error,
        exact=error <= SAME_READING,
        pair=of_pair(*result.model_logit_diff[:2].tolist()) if len(curves) > 1 else None,
        published=largest_jump(np.array(lens_curve(theirs))) if same else None,
    )


def verdicts(result: LogitLens) -> dict[str, Any]:
    """Whether the pair leaves anything to explain, in plain values; empty where there is none."""
    pair = facts(result).pair
    return pair.plain() if pair else {}


def largest_jump(clean: np.ndarray, *corrupted: np.ndarray) -> Jump:
    """The half layer at which a curve of readings rises most."""
    return _jump(np.diff(clean), clean, *corrupted)


def _jump(rises: np.ndarray, clean: np.ndarray, *corrupted: np.ndarray) -> Jump:
    """The half layer at which these rises are largest."""
    step = int(rises.argmax())
    others = [float(np.diff(curve)[step]) for curve in corrupted]
    return Jump(
        component=f"{'MLP' if step % 2 else 'attention'} {step // 2}",
        step=step,
        depth=(step + 1) / (len(clean) - 1),
        before=float(clean[step]),
        after=float(clean[step + 1]),
        corrupted=others[0] if others else None,
    )
