"""How long a scan took in all its runs.

The scan's own file has the same bytes however often it was broken off, so the time lies beside it.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Spent:
    """The time that a scan has taken.

    Attributes:
        path: file that holds it.
        earlier: seconds of earlier runs.
        start: of this one.
    """

    path: Path
    earlier: float
    start: float = field(default_factory=time.perf_counter)

    @classmethod
    def on(cls, scan: Path, goes_on: bool) -> "Spent":
        """The clock of the scan in a file, which goes on where the scan does."""
        path, earlier = scan.with_name(f"{scan.name}.seconds"), 0.0
        if goes_on:
            with suppress(OSError, ValueError):
                earlier = float(path.read_text(encoding="utf-8"))
        return cls(path, earlier)

    @property
    def seconds(self) -> float:
        """All of it, to a hundredth."""
        return round(self.earlier + time.perf_counter() - self.start, 2)

    def keep(self) -> None:
        """Write it down."""
        self.path.write_text(f"{self.seconds}", encoding="utf-8")
