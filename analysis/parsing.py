"""What has Python parse something, in versions of Python that lose count of it now and then."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

TRIES = 10


def parsed(parse: Callable[[], T]) -> T:
    """What a function gives that makes syntax trees, tried anew where Python fails to.

    Up to 3.11.7 and 3.12.1 trees that are made at one time, by two threads or in what the
    collector runs, count each other's depth, and each may end in a SystemError though nothing is
    wrong with it (python/cpython issue 106905). numpy makes one of the head of every array.
    """
    for _ in range(TRIES - 1):
        with suppress(SystemError):
            return parse()
    return parse()
