"""The scan on Ray: workers that hold the model once read whole shards, here or on a cluster.

Plain actors, and not Ray Data: a shard is a batch of windows of its own, the scans of shards are
merged in the corpus's order, and what was merged is kept after each. Ray Data cuts its blocks by
their bytes and keeps no order by itself. A shard is scanned as in one process and merged as there,
so that both give the same bits where the machines' arithmetic does.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.reading import Window
from analysis.errors import UserError, first_line
from analysis.neuron import Neuron
from analysis.scanning.scan import Scan, scan, shards, started
from analysis.scanning.scan_files import model_key
from analysis.subject import Subject

RESTARTS = 16
"""How often a worker may die and be started again; one that always dies would never end."""

WAITING = 2
"""Shards for each worker that are read, or wait for an earlier one, at once: bounds the memory."""

ANSWER_SECONDS = 10.0
"""Within which a cluster has to take a connection."""

HINT = "Ray is not installed: `pip install 'an-neuron[ray]'` installs it."


class Worker:
    """One process with the model; all of a scan is told to it with each shard."""

    def __init__(self, load: Callable[[], Subject], key: dict[str, Any]) -> None:
        self.load, self.key = load, key

    @cached_property
    def subject(self) -> Subject:
        """The model, loaded for the first shard: an error then is that shard's.

        Raises:
            UserError: it cannot be loaded, or is not what the scan is of.
        """
        subject = self.load()
        for name, value in model_key(subject).items():
            if value != self.key[name]:
                raise UserError(
                    f"A worker has another {name} than this process ({value}, not "
                    f"{self.key[name]}): install the same version and the same model everywhere."
                )
        return subject

    def scan(
        self,
        windows: Sequence[Window],
        chosen: Sequence[Neuron],
        contrast: Contrast | None,
        seed: int,
    ) -> dict[str, Tensor]:
        """The scan of one shard by itself."""
        (done,) = scan(self.subject, windows, chosen, contrast, seed)
        return done.tensors()


@dataclass(frozen=True)
class Pool:
    """The workers of a Ray that runs."""

    workers: Sequence[Any]

    def scan(
        self,
        subject: Subject,
        windows: Iterable[Window],
        chosen: Sequence[Neuron],
        contrast: Contrast | None,
        seed: int = 0,
        so_far: Scan | None = None,
    ) -> Iterator[Scan]:
        """What ``scan.scan`` yields, with every shard read by one of the workers.

        Raises:
            UserError: a worker cannot load the model, cannot scan with it, or died too often.
        """
        so_far = so_far or started(subject, chosen)
        for done in self._in_order(shards(windows, so_far), chosen, contrast, seed):
            so_far.merge(Scan.restored(done))
            yield so_far

    def _in_order(
        self, waiting: Iterator[list[Window]], *asked: Any
    ) -> Iterator[dict[str, Tensor]]:
        """The scans of shards in the shards' order; whoever is idle takes the next."""
        import ray

        idle, running, done = [*self.workers], dict[Any, tuple[int, Any]](), dict[int, Any]()
        sent = turn = 0
        shard = next(waiting, None)
        while shard or running:
            while shard and idle and sent - turn < WAITING * len(self.workers):
                worker = idle.pop()
                running[worker.scan.remote(shard, *asked)] = sent, worker
                sent, shard = sent + 1, next(waiting, None)
            (ready,), _ = ray.wait([*running], num_returns=1, fetch_local=False)
            number, worker = running.pop(ready)
            idle.append(worker)
            done[number] = ready
            while turn in done:
                yield _got(done.pop(turn))
                turn += 1


def _got(reference: Any) -> dict[str, Tensor]:
    """What a worker made.

    Raises:
        UserError: it could not.
    """
    import ray

    try:
        found: dict[str, Tensor] = ray.get(reference)
        return found
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        died = isinstance(error, ray.exceptions.ActorDiedError) and not error.actor_init_failed
        what = f"A worker died more than {RESTARTS} times" if died else "Ray could not scan"
        raise UserError(
            f"{what} ({first_line(error)}): what was scanned is kept, and the same command goes on "
            "there."
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
def pool(
    load: Callable[[], Subject],
    key: dict[str, Any],
    device: str,
    workers: int | None = None,
    address: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Pool]:
    """Workers on this machine, or on a cluster, for as long as the context lasts.

    Args:
        load: makes the model, in each worker; Ray moves it there by pickle.
        key: what the model has to be (``model_key``).
        device: workers get a GPU each where it is ``cuda``, else a processor.
        workers: how many; None for as many as there are GPUs, or processors.
        address: of the cluster; without one Ray runs here, and ends with the context.
        tell: told what it waits for, where others hold what the workers need.

    Raises:
        UserError: Ray is not installed, not at that address, or has too few GPUs.
    """
    ray = _begun(workers, address)
    kind = "GPU" if device.startswith("cuda") else "CPU"
    try:
        wanted = _wanted(kind, workers, ray.cluster_resources(), ray.available_resources(), tell)
        claim = {"num_gpus": 1} if kind == "GPU" else {"num_cpus": 1}
        made = ray.remote(**claim, max_restarts=RESTARTS, max_task_retries=RESTARTS)(Worker)
        yield Pool([made.remote(load, key) for _ in range(wanted)])
    finally:
        ray.shutdown()


def _begun(workers: int | None, address: str | None) -> Any:
    """Ray, started here or reached on a cluster.

    Raises:
        UserError: it is not installed, not at that address, or does not start.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to Ray's makers
    try:
        import ray
    except ModuleNotFoundError as error:
        raise UserError(HINT) from error
    if address:
        _check_reached(address)
    try:
        here = {} if address else {"num_cpus": workers, "include_dashboard": False}
        quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        ray.init(address=address or "local", **quiet, **here)
    except (ConnectionError, ValueError, RuntimeError) as error:
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
