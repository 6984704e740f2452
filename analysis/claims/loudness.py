"""How loud a neuron is, with its sign: negative activation can be the one that works.

A gated neuron may answer to the clean prompt with an activation far below zero, and another may be
loud on the corrupted prompt and fall silent on the clean one. All claims measure loudness here.
"""

import numpy as np
from jaxtyping import Bool, Float

from analysis.experiments.activations import Activations

SILENT = 1e-3
"""The neuron is nearly silent when fewer tokens than this share reach half of its peak."""

LEAST = 0.05
"""A target less likely than this is expected nowhere."""


def ends(result: Activations) -> tuple[float, float]:
    """Activation on the last token of the clean and of the corrupted prompt."""
    clean, corrupted = (float(result.activations[result.text(index)][-1]) for index in (0, 1))
    return clean, corrupted


def sign(result: Activations) -> int:
    """Which way the clean prompt turns the neuron: 1 up, -1 down, against the corrupted one."""
    clean, corrupted = ends(result)
    return int(np.sign(clean - corrupted) or np.sign(clean) or 1)


def quieter(result: Activations) -> bool:
    """Whether it is the corrupted prompt that excites it, and the clean one that quiets it."""
    clean, corrupted = ends(result)
    way = sign(result)
    return way * corrupted < 0 and way * clean < abs(corrupted) / 2


def negative(result: Activations) -> bool:
    """Whether it answers to the clean prompt with negative activation."""
    return sign(result) < 0 and not quieter(result)


def loudness(result: Activations) -> Float[np.ndarray, " token"]:
    """Activation on every token, positive where it has the sign with which the neuron is loud."""
    way = -sign(result) if quieter(result) else sign(result)
    return result.activations * way


def peak(result: Activations) -> float:
    """Loudness on the last token of the prompt that excites it; the clean one, as a rule."""
    return float(loudness(result)[result.text(int(quieter(result)))][-1])


def other_end(result: Activations) -> float:
    """Loudness on the last token of the other prompt."""
    return float(loudness(result)[result.text(int(not quieter(result)))][-1])


def counted(result: Activations) -> Bool[np.ndarray, " token"]:
    """Marks every token but the first of each text, on which models park their attention."""
    marks = np.ones(len(result.tokens), dtype=bool)
    marks[[result.text(index).start for index in range(len(result.lengths))]] = False
    return marks


def sampled(result: Activations) -> Bool[np.ndarray, " token"]:
    """Marks the tokens of the random texts that count."""
    marks = counted(result)
    marks[: result.random.start] = False
    return marks


def strongest(result: Activations) -> int:
    """Place in the clean prompt at which it is loudest."""
    where = result.text(0)
    return int(np.where(counted(result), loudness(result), -np.inf)[where].argmax())


def fires_before(result: Activations) -> bool:
    """Whether, in the clean prompt, it is most active on the token before the target is due."""
    last = result.lengths[0] - 1
    at_end = strongest(result) == last and result.tokens[result.text(0)][last] != result.target
    return at_end and not quieter(result)


def is_loud(result: Activations) -> Bool[np.ndarray, " token"]:
    """Marks the tokens of the random texts on which it reaches half of its peak."""
    return sampled(result) & (loudness(result) >= peak(result) / 2)


def loud(result: Activations) -> int:
    """Tokens of the random texts on which it reaches half of its peak."""
    return int(is_loud(result).sum())


def silent(result: Activations) -> bool:
    """Whether it is nearly silent on the random texts."""
    return loud(result) < SILENT * int(sampled(result).sum())


def likely(result: Activations) -> float:
    """Probability from which the model expects the target: half of that after the clean prompt."""
    return max(LEAST, float(result.p_target[result.text(0)][-1]) / 2)


def expected(result: Activations) -> Bool[np.ndarray, " token"]:
    """Marks the tokens of the random texts after which the model expects the target."""
    return sampled(result) & (result.p_target >= likely(result))


def explained(result: Activations) -> int:
    """Loud tokens of the random texts that the target follows, in the text or for the model."""
    due = expected(result) | (result.next_is_target > 0)
    return int((is_loud(result) & due).sum())
