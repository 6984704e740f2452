"""Work in some processes of this machine, each with the model, that share its processors out.

Two processes with a thread each do more than one with two: the study of the embedded model took 16
CPU minutes so, and 22 with two threads.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from analysis.errors import UserError
from analysis.workers import Each, Work, Worker

_mine: Worker
"""The worker of a process that this module started."""


@contextmanager
def processes(load: Callable[[], Any], jobs: int) -> Iterator[Each]:
    """Processes for as long as the context lasts; none begins before there is a task.

    Args:
        load: makes the model, in each of them; it goes there by pickle.
        jobs: how many.
    """
    import torch

    threads = max(1, torch.get_num_threads() // jobs)
    pool = ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(load, threads)
    )
    others = multiprocessing.active_children()
    try:
        yield lambda work, tasks: _each(pool, work, tasks)
    except BaseException:
        for process in multiprocessing.active_children():
            if process not in others:
                process.terminate()  # or it would go on with the task that it has
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _each(pool: ProcessPoolExecutor, work: Work, tasks: Iterable[Any]) -> Iterator[Any]:
    """See ``Each``: whoever is idle takes the next task.

    Raises:
        UserError: a task could not be done, or a process died.
    """
    running = [pool.submit(_do, work, task) for task in tasks]
    try:
        for future in running:
            yield future.result()
    except BrokenProcessPool as error:
        raise UserError(
            "A process died, perhaps for want of memory: what is kept stays, and the same command "
            "with fewer --jobs goes on there."
        ) from error


def _begin(load: Callable[[], Any], threads: int) -> None:
    import torch

    global _mine
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    _mine = Worker(load)


def _end_with_parent() -> None:
    """Wait for the process that began this one: whatever ended it, nobody wants the work."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(work: Work, task: Any) -> Any:
    return _mine.do(work, task)
