"""``python -m report``: write the pages of saved studies, and an index of them."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from analysis import results
from analysis.errors import UserError
from report.links import LOCAL


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages and say where their index is; returns the exit code."""
    asked = _parser().parse_args(arguments)
    start = time.perf_counter()
    from report.build import build
    from report.place import Place
    from report.studies import usual_results

    try:
        place = Place(
            address=asked.address,
            app=asked.app,
            stills=asked.stills and _can_draw(),
            repository=asked.repository,
        )
        studies = asked.results or usual_results()
        page = build(studies, asked.out, place, asked.stale, asked.model, asked.question)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(f"{page} ({time.perf_counter() - start:.1f} s)")
    return 0


def usual_out() -> Path:
    """Where pages are written: in a checkout beside their sources, else beside the results."""
    here = Path("report/dist")
    return here if here.parent.is_dir() else results.out().with_name("an-neuron-report")


def of_results(program: str, does: str | None) -> argparse.ArgumentParser:
    """The arguments of every program that reads saved results."""
    parser = argparse.ArgumentParser(prog=program, description=does)
    folder_help = (
        "folder with results of a model and a question each; by default ./results, if it has any"
    )
    parser.add_argument("--results", type=Path, help=folder_help)
    parser.add_argument("--stale", action="store_true", help="take results of other code, too")
    return parser


def _can_draw() -> bool:
    """Whether still images can be drawn; says so if not."""
    from report.images import find_browser

    try:
        return bool(find_browser())
    except UserError as error:
        print(f"note: images for readers without JavaScript are left out. {error}", file=sys.stderr)
        return False


def _parser() -> argparse.ArgumentParser:
    parser = of_results("python -m report", __doc__)
    parser.add_argument("--model", default="", help="the only model to show")
    parser.add_argument("--question", default="", help="the only question to show")
    parser.add_argument("--out", type=Path, default=usual_out(), help="folder to write")
    parser.add_argument("--address", default="", help="where the index will be read")
    parser.add_argument("--app", default=LOCAL, help="address of the app that figures link to")
    parser.add_argument(
        "--repository", default="", help="OWNER/NAME on GitHub, for a link to the notebook in Colab"
    )
    parser.add_argument(
        "--stills",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="draw images for readers without JavaScript, too",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
