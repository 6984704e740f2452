"""``python -m report.artifacts``: figures, tables, numbers and references from saved results."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from analysis import EMBEDDED, questions
from analysis.errors import UserError

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
    parser = argparse.ArgumentParser(prog="python -m report.artifacts", description=__doc__)
    folder_help = (
        "folder with results of a model and a question each; by default ./results, if it has any"
    )
    parser.add_argument("--results", type=Path, help=folder_help)
    parser.add_argument("--model", default=EMBEDDED, help="name of the model's folder there")
    parser.add_argument(
        "--question", default=questions.DEFAULT, help="name of the question's folder in that"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write")
    parser.add_argument("--stale", action="store_true", help="take results of other code, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
