"""Large libraries, without what they need not do while they are imported."""

import gc
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


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


@contextmanager
def unstubbed() -> Iterator[None]:
    """Keep gradio from writing stubs for editors beside its components while it is imported.

    To compare those that are there with their sources takes it a second each time. It writes none
    for a class that is in no file.
    """
    known = inspect.getfile

    def getfile(object: Any) -> str:
        if str(getattr(object, "__module__", "")).startswith("gradio."):
            raise OSError("no file: no stub")
        return known(object)

    inspect.getfile = getfile
    try:
        yield
    finally:
        inspect.getfile = known


def leave_all() -> None:
    """Let the collector pass over all that there is: a walk through its libraries takes a second.

    For a process that has just imported what stays to its end, and for one that is about to end.
    """
    gc.freeze()
