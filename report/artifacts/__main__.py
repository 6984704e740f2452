"""``python -m report.artifacts``: figures, tables, numbers and references from saved results."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from analysis import EMBEDDED, questions
from analysis.errors import UserError
from report.__main__ import of_results

OUT = Path("build/artifacts")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the artifacts and say where they are; returns the exit code."""
    asked = _parser().parse_args(arguments)
    start = time.perf_counter()
    from report.artifacts.build import build
    from report.studies import usual_results

    try:
        folder = (asked.results or usual_results()) / asked.model / asked.question
        written = build(folder, asked.out, asked.stale)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if written.why_not:
        print(f"note: the figures are left out. {written.why_not}", file=sys.stderr)
    print(f"{written.manifest} lists {written.files} files ({time.perf_counter() - start:.1f} s)")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = of_results("python -m report.artifacts", __doc__)
    parser.add_argument("--model", default=EMBEDDED, help="name of the model's folder there")
    parser.add_argument(
        "--question", default=questions.DEFAULT, help="name of the question's folder in that"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
