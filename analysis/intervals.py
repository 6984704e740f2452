"""Intervals and areas, read with the sign of the activation with which a neuron is used."""

import numpy as np

Span = tuple[float, float]


def turned(bounds: np.ndarray, sign: int) -> Span:
    """An interval of differences: mirrored at zero for a neuron that works by negative values."""
    low, high = sorted((sign * bounds).tolist())
    return low, high


def signed_area(areas: np.ndarray, sign: int) -> np.ndarray:
    """AUC: mirrored at one half for a neuron that works by negative values."""
    return np.asarray(areas if sign > 0 else 1 - areas)


def area_span(bounds: np.ndarray, sign: int = 1) -> Span:
    """The interval of an AUC, likewise."""
    low, high = sorted(signed_area(bounds, sign).tolist())
    return low, high
