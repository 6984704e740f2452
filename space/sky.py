"""Every neuron of a model as a dot: what each recovers alone, packed for the page."""

import base64
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from analysis.neuron import Neuron
from analysis.wording import percent

STEP = 1e-4
"""Recoveries are sent as whole multiples of this: two digits of a percentage."""

UNMEASURED = np.iinfo(np.int16).min

FURTHEST = 5
"""Neurons that are named beside the dots: those that recover most, either way."""


@dataclass(frozen=True)
class Sky:
    """Every neuron of the model as a dot.

    Attributes:
        layers: how many layers.
        width: neurons of each.
        recovery: of every neuron in multiples of ``STEP``, 16-bit little-endian, in base64.
        furthest: the neurons furthest from zero, each with its recovery as it is written.
    """

    layers: int
    width: int
    recovery: str
    furthest: tuple[tuple[str, str], ...]

    @property
    def neurons(self) -> int:
        """How many there are."""
        return self.layers * self.width


def sky(
    recovery: Float[np.ndarray, "layer neuron"], exact: np.ndarray, furthest: int = FURTHEST
) -> Sky:
    """Every measured neuron's recovery, packed for the page."""
    limit = np.iinfo(np.int16).max
    steps = np.clip(np.round(recovery / STEP), -limit, limit).astype("<i2")
    packed = np.where(exact, steps, np.int16(UNMEASURED)).astype("<i2")
    sizes = np.where(exact, np.abs(recovery), -1.0)
    order = np.argsort(-sizes, axis=None, kind="stable")[:furthest]
    named = [Neuron(*map(int, np.unravel_index(flat, recovery.shape))) for flat in order]
    layers, width = recovery.shape
    return Sky(
        layers,
        width,
        base64.b64encode(packed.tobytes()).decode("ascii"),
        tuple((str(neuron), percent(float(recovery[neuron]))) for neuron in named),
    )
