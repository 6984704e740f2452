"""Neurons that one is compared with: which of them are about as active."""

import numpy as np
from jaxtyping import Bool, Float

from analysis.criteria import AS_ACTIVE


def as_active(norms: Float[np.ndarray, " neuron"]) -> Bool[np.ndarray, " other"]:
    """Which of some norms lie within a factor of ``AS_ACTIVE`` of the first one, left out here."""
    own, others = norms[0], norms[1:]
    return (own <= AS_ACTIVE * others) & (others <= AS_ACTIVE * own)
