"""What a graft gains on held-out texts of each kind, and what it costs on ordinary ones."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from analysis.experiments.transplant.measured import CONSTANT, GRAFT, Answers, Effects
from analysis.experiments.transplant.texts import GROUNDS, Texts
from analysis.numbers.choices import Choices, right, surprise

UNCUT = "uncut"
"""The recipient as it was before a neuron was cut out of it."""

GAINS = ("margin", "target", "foil", "right", "surprise", "beyond_bias")
"""What is told of each variant on each ground: change of the margin, of the logit difference where
the target is called for and where the foil is, of the share of right choices, of the loss of the
choice, and how much lower that loss is than with a constant bias."""


ROUNDING = 16 * float(np.finfo(np.float32).eps)
"""How far the activations of texts that a model reads alike lie apart, as a share of them."""


def judged(texts: Texts, answers: Answers, done: Effects, seed: int) -> dict[str, Any]:
    """Everything that is told by ground."""
    ground = np.array([text.ground for text in texts.judged])
    target = np.array([text.target is True for text in texts.judged])
    unit = np.unique([text.unit for text in texts.judged], return_inverse=True)[1]
    found = [name for name in GROUNDS if (ground == name).any()]
    rows = [_on_ground(ground == name, target, unit, answers, done, seed) for name in found]
    stacked = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    stacked["after"] = stacked["after"].T
    stacked["gains"] = np.moveaxis(stacked["gains"], 0, 1)
    wide = {k: v if v.dtype.kind == "i" else v.astype(np.float32) for k, v in stacked.items()}
    return {"grounds": tuple(found), **wide}


def _on_ground(
    here: Bool[np.ndarray, " text"],
    target: Bool[np.ndarray, " text"],
    unit: Int[np.ndarray, " text"],
    answers: Answers,
    done: Effects,
    seed: int,
) -> dict[str, np.ndarray]:
    """One ground: margins, gains and areas."""
    kind, choices = target[here], Choices(target[here], unit[here], seed)
    before = answers.before[here]
    after = {name: values[here] for name, values in answers.after.items()}
    with_it, without_it = done.with_it[here], done.without[here]
    gain = after[GRAFT] - before
    nothing = np.full(3, np.nan)
    uncut = after.get(UNCUT)
    biased = surprise(after[CONSTANT], kind)
    return {
        "texts": np.array([kind.sum(), (~kind).sum()]),
        "units": np.array(choices.units),
        "donor_area": choices.area(done.activation[here]),
        "area": choices.area(answers.activation[here]),
        "likeness": np.array(likeness(done.activation[here], answers.activation[here])),
        "donor_margins": np.array([choices.margin(v)[0] for v in (with_it, without_it)]),
        "donor_effect": choices.margin(with_it - without_it),
        "margins": choices.margin(before)[0],
        "shares": choices.mean(right(before, kind))[0],
        "after": np.array([choices.margin(values)[0] for values in after.values()]),
        "gains": np.stack(
            [_gains(choices, before, values, kind, biased) for values in after.values()]
        ),
        "copied": choices.share(gain, with_it - without_it),
        "restored": nothing if uncut is None else choices.share(gain, uncut - before),
    }


def _gains(
    choices: Choices,
    before: Float[np.ndarray, " text"],
    after: Float[np.ndarray, " text"],
    kind: Bool[np.ndarray, " text"],
    biased: Float[np.ndarray, " text"],
) -> Float[np.ndarray, "gain 3"]:
    gain, loss = after - before, surprise(after, kind)
    return np.stack(
        [
            choices.margin(gain),
            choices.mean(gain, kind),
            choices.mean(gain, ~kind),
            choices.mean(right(after, kind) - right(before, kind)),
            choices.mean(loss - surprise(before, kind)),
            choices.mean(biased - loss),
        ]
    )


def likeness(ours: Float[np.ndarray, " text"], theirs: Float[np.ndarray, " text"]) -> float:
    """Their correlation; not a number where one is the same in all texts but for rounding."""
    if any(np.ptp(each) <= ROUNDING * np.abs(each).max() for each in (ours, theirs)):
        return float("nan")
    return float(np.corrcoef(ours.astype(float), theirs.astype(float))[0, 1])


def costs(
    texts: Texts, answers: Answers, target_id: int, foil_id: int, seed: int
) -> dict[str, Any]:
    """What each variant costs on ordinary text; articles are resampled."""
    unit = answers.text
    called = answers.following == target_id
    other = ~called & (answers.following != foil_id)
    choices = Choices(called, unit, seed)
    changes = dict(zip(answers.after, answers.change, strict=True))
    uncut = changes.get(UNCUT)
    beside = np.full(3, np.nan) if uncut is None else choices.mean(changes[GRAFT] - uncut)
    return {
        "articles": choices.units,
        "places": np.array([len(other), other.sum()]),
        "cost": np.stack([choices.mean(v) for v in answers.change]).astype(np.float32),
        "other_cost": np.stack([choices.mean(v, other) for v in answers.change]).astype("f"),
        "divergence": np.stack([choices.mean(v, other) for v in answers.divergence]).astype("f"),
        "uncut_cost": beside.astype(np.float32),
    }
