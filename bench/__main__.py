"""All benchmarks of the command line, in one run: ``python -m bench [SECTION ...] [--small]``.

Results are kept after each section in ``bench/results.json``, beside those of sections that were
not asked for, so that what was broken off leaves what it had.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.loading.models import load
from analysis.subject import Subject
from bench import census, cold, curves, scan, sweep
from bench.timing import RESULTS, keep

Section = Callable[[Subject], dict[str, Any]]


def sections(small: bool) -> dict[str, Section]:
    """By name, in the order in which they are timed."""
    rounds = 1 if small else 3
    return {
        "cold": lambda _: cold.section(rounds),
        "scan": lambda subject: scan.section(subject, 2 if small else 12, 500 if small else 1600),
        "sweep": lambda subject: sweep.section(subject, rounds, 64 if small else 256),
        "curves": lambda _: curves.section(rounds),
        "census": lambda _: census.section(rounds, 4 if small else 36),
    }


def main(asked: list[str], small: bool, out: Path) -> None:
    """Time the sections that are asked for, or all."""
    known = sections(small)
    subject = load("smollm2-135m")
    for name in asked or known:
        keep(out, name, lambda name=name: known[name](subject), small)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Time this project, and others beside it.")
    parser.add_argument("sections", nargs="*", choices=[[], *sections(True)])
    parser.add_argument("--small", action="store_true", help="one round, to see that it works")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    main(given.sections, given.small, given.out)
