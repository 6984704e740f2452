"""``python -m report``: write the page from saved results."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from analysis import EMBEDDED, results
from analysis.errors import UserError
from report.links import LOCAL

OUT = Path(__file__).resolve().parent / "dist"


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the report and say where it is; returns the exit code."""
    asked = _parser().parse_args(arguments)
    start = time.perf_counter()
    from report.build import build

    try:
        page = build(asked.results / asked.model, asked.out, asked.app, asked.stale)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{page} ({time.perf_counter() - start:.1f} s)")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m report", description=__doc__)
    parser.add_argument(
        "--results", type=Path, default=results.ROOT, help="folder that holds a folder per model"
    )
    parser.add_argument("--model", default=EMBEDDED, help="name of the model's folder there")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write")
    parser.add_argument("--app", default=LOCAL, help="address of the app that figures link to")
    parser.add_argument(
        "--stale", action="store_true", help="show results that other code computed, too"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
