"""Where the answer appears: the largest single rise of the logit lens, and whether to trust it."""

from dataclasses import dataclass

import numpy as np

from analysis.criteria import SAME_READING, SPECIFIC
from analysis.experiments.logit_lens.compute import LogitLens
from analysis.original.published import asks_the_same, document, lens_curve


@dataclass(frozen=True)
class Jump:
    """The largest single rise of a clean prompt's curve."""

    component: str  # what wrote it, such as "MLP 25"
    step: int  # number of the reading before it, from 0
    depth: float  # the share of all steps that come before it
    before: float  # the readings around it, in logits
    after: float

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
    # of the corrupted prompt's curve there; None without such a prompt
    corrupted_rise: float | None
    specific: bool  # whether that rises much less
    first: tuple[float, ...]  # the clean prompt's first reading, and the corrupted one's
    starts_equal: bool  # whether all first readings are the same
    answer: float  # the model's own logit difference after the clean prompt
    error: float  # of the last readings, at most, against the model's own; ``exact`` if that is nil
    exact: bool
    published: Jump | None  # the jump of the original's curve, where it asked the same


def facts(result: LogitLens) -> Facts:
    """Read them off the curves."""
    jump = largest_jump(result.logit_diff[0])
    others = np.diff(result.logit_diff[1:2])[:, jump.step].tolist()
    first = result.logit_diff[:2, 0].tolist()
    error = float(np.abs(result.logit_diff[:, -1] - result.model_logit_diff).max())
    theirs = document()
    same = asks_the_same(theirs, result.prompts[0], result.target, result.foil)
    return Facts(
        jump=jump,
        corrupted_rise=others[0] if others else None,
        specific=bool(others) and others[0] < SPECIFIC * jump.rise,
        first=tuple(first),
        starts_equal=max(first) - min(first) <= SAME_READING,
        answer=float(result.model_logit_diff[0]),
        error=error,
        exact=error <= SAME_READING,
        published=largest_jump(np.array(lens_curve(theirs))) if same else None,
    )


def largest_jump(curve: np.ndarray) -> Jump:
    """The half layer at which a curve of readings rises most."""
    step = int(np.diff(curve).argmax())
    return Jump(
        component=f"{'MLP' if step % 2 else 'attention'} {step // 2}",
        step=step,
        depth=step / (len(curve) - 1),
        before=float(curve[step]),
        after=float(curve[step + 1]),
    )
