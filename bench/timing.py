"""The one way in which works are timed here: in turn, in one run, each as often as the others."""

import json
import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

Work = Callable[[], object]

RESULTS = Path(__file__).with_name("results.json")
"""Where all that was found is kept, and where the documentation's page takes it from."""


@dataclass(frozen=True)
class Times:
    """How long a work took.

    Attributes:
        median: seconds.
        low: seconds of the fastest round.
        high: seconds of the slowest.
        rounds: how often it was timed.
    """

    median: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, seconds: list[float]) -> "Times":
        return cls(statistics.median(seconds), min(seconds), max(seconds), len(seconds))


@dataclass(frozen=True)
class Round:
    """Works that were timed in turn."""

    seconds: dict[str, list[float]]

    def times(self) -> dict[str, dict[str, Any]]:
        return {name: asdict(Times.of(each)) for name, each in self.seconds.items()}

    def ratio(self, name: str, other: str) -> float:
        """The median over rounds of one work's time over the other's in the same round."""
        pairs = zip(self.seconds[name], self.seconds[other], strict=True)
        return statistics.median(one / another for one, another in pairs)


def seconds(work: Work) -> float:
    """What passes on the wall while the work is done; CUDA's queue is waited for."""
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def alternate(works: Mapping[str, Work], rounds: int, warm: bool = False) -> Round:
    """Time works in turn, round after round: what slows the machine slows all of them.

    Args:
        works: by name.
        rounds: how often each is timed.
        warm: whether each is done once before, untimed.
    """
    found: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values() if warm else ():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(seconds(work))
    return Round(found)


def memory(process: int | str = "self") -> dict[str, float]:
    """GiB of a process by Linux's names, such as VmRSS, VmHWM, RssAnon; nothing once it ended."""
    try:
        told = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return {}
    sizes = re.findall(r"^(\w+):\s+(\d+) kB$", told, re.MULTILINE)
    return {name: int(size) / 2**20 for name, size in sizes}


def keep(out: Path, name: str, section: Callable[[], dict[str, Any]], small: bool) -> None:
    """Do a section and write what it found beside what the file holds of others."""
    found: dict[str, Any] = json.loads(out.read_text()) if out.is_file() else {}
    start, told = time.perf_counter(), {**machine(), "small": small}
    found[name] = {**section(), "machine": told}
    machines = [each["machine"] for each in found.values() if "machine" in each]
    found["machine"] = {**told, "small": any(each["small"] for each in machines)}
    found[name]["took"] = time.perf_counter() - start
    parts = [each.get("ratios", {}) for each in found.values()]
    found["ratios"] = {ratio: value for part in parts for ratio, value in part.items()}
    out.write_text(json.dumps(found, indent=1) + "\n")
    print(f"{name}: {found[name]['took']:.0f} s {found[name].get('ratios', '')}", flush=True)


def machine() -> dict[str, Any]:
    """What the times are of: processor, threads, load, versions."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("torch", "transformers")},
    }


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
