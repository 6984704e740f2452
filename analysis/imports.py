"""Large libraries, without the garbage collector's walks through them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave the garbage collector off, for as long as much is imported that stays.

    It would walk through these objects again and again as they grow in number: a fifth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def leave_all() -> None:
    """Let the collector pass over all that there is: a walk through its libraries takes a second.

    For a process that has just imported what stays to its end, and for one that is about to end.
    """
    gc.freeze()
