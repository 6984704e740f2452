"""The synthetic result of the experiment that crosses example, frame and word."""

import numpy as np

from analysis.experiments.crossed.compute import Crossed
from analysis.experiments.crossed.planned import plan_statistics
from analysis.experiments.crossed.statistics import own_statistics, statistics
from tests.synthetic.plan import Plan, text

FRAMES, CELL = 4, 3
EXAMPLE_HAS = ("foil", "", "target")
CALLS = np.repeat([True, False], 2 * CELL)
LOOKS = np.tile(np.repeat([True, False], CELL), 2)
RULES = ("rule", "cue", "example", "nothing")


def planted(follows: str, seed: int = 3, size: float = 6.0) -> np.ndarray:
    """Measures that follow one factor: [measure example frame word]."""
    draw = np.random.default_rng(seed)
    after = np.array([side == "target" for side in EXAMPLE_HAS])
    shape = (3, len(EXAMPLE_HAS), FRAMES, len(CALLS))
    parts = {"rule": CALLS, "cue": LOOKS, "example": after[:, None, None]}
    signal = size * np.broadcast_to(parts.get(follows, 0.5), shape[1:])
    level = np.array([0, size / 2, size / 2])[:, None, None, None]  # logits fall to either side
    return (draw.normal(0, 1, shape) + signal - level).astype(np.float32)


def foretold(values: np.ndarray) -> np.ndarray:
    """What is expected after the first two examples: the activation with noise of its own."""
    noise = np.random.default_rng(5).normal(0, 1, values[0, :2].shape)
    return (values[0, :2] + noise).astype(np.float32)


def made(
    plan: Plan,
    values: np.ndarray,
    own: np.ndarray | None = None,
    expected: np.ndarray | None = None,
) -> Crossed:
    """A Result of made measures, as the experiment puts it together."""
    own = values[:, :, 0, [0, 1, 6, 7]] if own is None else own
    count = own.shape[-1]
    expected = foretold(values) if expected is None else expected
    return Crossed(
        neuron=plan.neurons[0],
        target=plan.target,
        foil=plan.foil,
        rule="sound",
        cue="letter",
        examples=("usual", "none", plan.extra[0]),
        beginnings=(text(plan.clean), "", text(plan.corrupted)),
        example_has=EXAMPLE_HAS,
        frames=tuple(f"{plan.extra[1]} {i} {{}} and" for i in range(FRAMES)),
        words=tuple(f"{plan.extra[2]}{i}" for i in range(len(CALLS))),
        kinds=tuple(f"{plan.extra[0]} {i // 2}" for i in range(len(CALLS))),
        calls_for_target=CALLS,
        looks_like_target=LOOKS,
        reference_mean=0.25,
        values=values,
        own_words=tuple(f"{plan.extra[1]}{i}" for i in range(count)),
        own_calls_for_target=np.arange(count) < count // 2,
        own_values=own,
        instead=" the",
        planned=(0, 1),
        expected=expected,
        expected_mass=np.full(2, 0.8, np.float32),
        **plan_statistics(values[0, :2], expected, CALLS, LOOKS, seed=0),
        **statistics(values, CALLS, LOOKS, EXAMPLE_HAS, seed=0),
        **own_statistics(own, count // 2, seed=0),
    )


def crossed(plan: Plan) -> Crossed:
    """A neuron that follows the rule after every example, or the example alone."""
    values = planted("rule" if plan.holds else "example")
    noise = np.random.default_rng(6).normal(0, 1, values[0, :2].shape).astype(np.float32)
    return made(plan, values, expected=None if plan.holds else noise)
