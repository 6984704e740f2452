"""How long work tells whoever waits how far it is."""

from collections.abc import Callable

Progress = Callable[[float], None]
"""Told the finished fraction of the work, from 0 to 1."""


def silent(_fraction: float) -> None:
    """Progress that nobody watches."""


def part_of(progress: Progress, begin: float, end: float) -> Progress:
    """Progress of one part of the work, which takes it from ``begin`` to ``end``."""
    return lambda fraction: progress(begin + (end - begin) * fraction)
