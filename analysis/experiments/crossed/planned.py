"""What the model would say next without target and foil, and whether the neuron goes with it."""

import re
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float

from analysis.engines.shared_beginning import Forced
from analysis.numbers.partial import within_rows
from analysis.numbers.two_way import middle, resampled
from analysis.questions.factors import Factors
from analysis.subject import Subject


def planned_after(factors: Factors, example_has: Sequence[str]) -> tuple[int, ...]:
    """Places of the examples after which it is asked: the first, and those with nothing to copy.

    After the others target or foil moves the activation and what is expected alike.
    """
    if factors.plan is None:
        return ()
    return tuple(place for place, side in enumerate(example_has) if not (place and side))


def plan_passes(subject: Subject, factors: Factors, after: Sequence[int]) -> dict[str, Forced]:
    """By example: the plan's text in the place of target and foil, and its two kinds of tokens."""
    plan = factors.plan
    if plan is None:
        return {}
    strings = [subject.string(token) for token in range(subject.d_vocab)]
    kinds = [[bool(re.fullmatch(each, s)) for s in strings] for each in (plan.target, plan.foil)]
    forced = Forced(tuple(subject.pieces(plan.instead)), torch.tensor(kinds))
    examples = list(factors.examples)
    return {examples[place]: forced for place in after}


def log_odds(
    following: Float[np.ndarray, "planned frame word 2"],
) -> tuple[Float[np.ndarray, "planned frame word"], Float[np.ndarray, " planned"]]:
    """Log odds of a next token that calls for the target, and the mean mass that they are made of.

    The mass is that of both kinds together, by example.
    """
    return following[..., 0] - following[..., 1], np.exp(following).sum(-1).mean((1, 2))


def plan_statistics(
    activation: Float[np.ndarray, "planned frame word"],
    expected: Float[np.ndarray, "planned frame word"],
    calls: Bool[np.ndarray, " word"],
    looks: Bool[np.ndarray, " word"],
    seed: int,
) -> dict[str, np.ndarray]:
    """How the activation goes with what is expected, with the rule held fixed, and the reverse."""
    if not len(expected):
        return {
            "plan": np.full(3, np.nan, np.float32),
            "plan_interval": np.full((3, 2), np.nan, "f"),
        }
    weights = resampled(activation.shape[1], 2 * calls + looks, seed)
    rule = np.broadcast_to(calls.astype(float), activation.shape)
    found = within_rows(np.stack([activation, expected, rule]).astype(float), weights)
    return {"plan": found[0].astype(np.float32), "plan_interval": middle(found[1:])}
