"""Work on Ray: workers that load a model once and take one task after the other, here or far away.

Plain actors, and not Ray Data: results come in the order of their tasks, so that whoever merges or
lists them gets what one process gives, bit for bit where the machines' arithmetic is the same. Ray
Data cuts its blocks by their bytes and keeps no order by itself.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import typer

from analysis.errors import UserError, first_line

RESTARTS = 16
"""How often a worker may die and be started again; one that always dies would never end."""

WAITING = 2
"""Tasks for each worker that are done, or wait for an earlier one, at once: bounds the memory."""

ANSWER_SECONDS = 10.0
"""Within which a cluster has to take a connection."""

HINT = "Ray is not installed: `pip install '.[ray]'` in a clone installs it."

Engine = Annotated[
    Literal["local", "ray"],
    typer.Option(help="Work here, or by workers on Ray, which the extra `ray` installs."),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Of Ray; else one for each GPU, or processor.")
]
Address = Annotated[
    str | None,
    typer.Option(help="Of a Ray cluster, such as HOST:6379; else Ray is started here."),
]


@dataclass(frozen=True)
class Ray:
    """Which Ray works: how many workers it has, and where it runs, if not here."""

    workers: int | None = None
    address: str | None = None


def ray_of(engine: str, workers: int | None, address: str | None) -> Ray | None:
    """The Ray that is asked for; None for this process.

    Raises:
        UserError: options of Ray are given without it.
    """
    if engine == "ray":
        return Ray(workers, address)
    if (workers, address) != (None, None):
        raise UserError("--workers and --ray-address are of Ray: give --engine ray too.")
    return None


Work = Callable[[Callable[[], Any], Any], Any]
"""What is done with a task; it may ask for the model, which is loaded where it works, and once."""

Each = Callable[[Work, Iterable[Any]], Iterator[Any]]
"""What does a work with each of some tasks, and gives the results in the tasks' order."""


def here(load: Callable[[], Any]) -> Each:
    """This process: it does one task after the other, with the model that is loaded by itself."""
    return lambda work, tasks: (work(load, task) for task in tasks)


class Worker:
    """One process with the model; what it is to do is told to it with each task."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self.load = load

    @cached_property
    def model(self) -> Any:
        """The model, loaded for the first task that needs it: an error then is that task's."""
        return self.load()

    def do(self, work: Work, task: Any) -> Any:
        """One task."""
        return work(lambda: self.model, task)


@dataclass(frozen=True)
class Pool:
    """The workers of a Ray that runs."""

    workers: Sequence[Any]

    def each(self, work: Work, tasks: Iterable[Any]) -> Iterator[Any]:
        """See ``Each``: whoever is idle takes the next task.

        Raises:
            UserError: a task could not be done, or a worker died too often.
        """
        import ray

        waiting, nothing = iter(tasks), object()
        idle, running, done = [*self.workers], dict[Any, tuple[int, Any]](), dict[int, Any]()
        sent = turn = 0
        task: Any = next(waiting, nothing)
        while task is not nothing or running:
            while task is not nothing and idle and sent - turn < WAITING * len(self.workers):
                worker = idle.pop()
                running[worker.do.remote(work, task)] = sent, worker
                sent, task = sent + 1, next(waiting, nothing)
            (ready,), _ = ray.wait([*running], num_returns=1, fetch_local=False)
            number, worker = running.pop(ready)
            idle.append(worker)
            done[number] = ready
            while turn in done:
                yield _got(done.pop(turn))
                turn += 1


def _got(reference: Any) -> Any:
    """What a worker made.

    Raises:
        UserError: it could not.
    """
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        died = isinstance(error, ray.exceptions.ActorDiedError) and not error.actor_init_failed
        what = f"A worker died more than {RESTARTS} times" if died else "Ray could not do it"
        raise UserError(
            f"{what} ({first_line(error)}): what is kept stays, and the same command goes on there."
        ) from error


def _check_reached(address: str) -> None:
    """Ray itself asks a machine that does not answer for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return  # auto, or what Ray will say is none
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise UserError(f"No Ray answers at {address} ({first_line(error)}).") from error


@contextmanager
def engine(
    load: Callable[[], Any], device: str, asked: Ray | None, tell: Callable[[str], None]
) -> Iterator[Each]:
    """What works, for as long as the context lasts: Ray's workers, or this process.

    Raises:
        UserError: see ``pool``.
    """
    if asked is None:
        yield here(load)
        return
    with pool(load, device, asked, tell) as workers:
        yield workers.each


@contextmanager
def pool(
    load: Callable[[], Any],
    device: str,
    asked: Ray = Ray(),
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Pool]:
    """Workers on this machine, or on a cluster, for as long as the context lasts.

    Args:
        load: makes the model, in each worker; Ray moves it there by pickle.
        device: workers get a GPU each where it is ``cuda``, else a processor.
        asked: how many workers, None for as many as there are GPUs, or processors; and where the
            cluster is: without an address Ray runs here, and ends with the context.
        tell: told what it waits for, where others hold what the workers need.

    Raises:
        UserError: Ray is not installed, not at that address, or has too few GPUs.
    """
    ray = _begun(asked)
    kind = "GPU" if device.startswith("cuda") else "CPU"
    try:
        wanted = _wanted(
            kind, asked.workers, ray.cluster_resources(), ray.available_resources(), tell
        )
        claim = {"num_gpus": 1} if kind == "GPU" else {"num_cpus": 1}
        made = ray.remote(**claim, max_restarts=RESTARTS, max_task_retries=RESTARTS)(Worker)
        yield Pool([made.remote(load) for _ in range(wanted)])
    finally:
        ray.shutdown()


def _begun(asked: Ray) -> Any:
    """Ray, started here or reached on a cluster.

    Raises:
        UserError: it is not installed, not at that address, or does not start.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to Ray's makers
    try:
        import ray
    except ModuleNotFoundError as error:
        raise UserError(HINT) from error
    if asked.address:
        _check_reached(asked.address)
    try:
        here = {} if asked.address else {"num_cpus": asked.workers, "include_dashboard": False}
        quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        ray.init(address=asked.address or "local", **quiet, **here)
    except Exception as error:  # a node that takes too long to begin raises a bare one
        raise UserError(f"Ray cannot be started or reached ({first_line(error)}).") from error
    return ray


def _wanted(
    kind: str,
    workers: int | None,
    there: Mapping[str, float],
    free: Mapping[str, float],
    tell: Callable[[str], None],
) -> int:
    """How many workers to start; tells how many of them wait for what others hold.

    Raises:
        UserError: there are too few GPUs or processors, also when all are free.
    """
    whole, left = (int(each.get(kind, 0)) for each in (there, free))
    wanted = workers or whole
    if whole < max(1, wanted):
        raise UserError(f"Ray has {whole} {kind}s, and every worker wants one: ask for fewer.")
    if left < wanted:
        tell(f"note: others hold Ray's {kind}s: {wanted - left} of {wanted} workers wait for one.")
    return wanted
