"""The whole site: an index over models, a page for each, a feed, a card, and no broken link.

Run with ``python -m report.site`` or ``make site``.
"""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from analysis import results
from analysis.claims import make_claims
from analysis.errors import UserError
from analysis.evidence import Evidence
from report.build import (
    PAGE,
    check_replaceable,
    copy_static,
    evidence_of,
    replacing,
    write_page,
)
from report.feed import CHANGELOG, changes
from report.images import find_browser
from report.linkcheck import broken_links
from report.links import LOCAL
from report.page import environment
from report.place import Place

SITE = Place(site=True)
OUT = Path(__file__).resolve().parent.parent / "build" / "site"
CARD = Path(__file__).resolve().parent.parent / "docs" / "card.png"


def build_site(studies: Path, out: Path, place: Place = SITE, stale: bool = False) -> Path:
    """Render all studies into one folder that any host can serve, and a reader can open.

    Args:
        studies: a folder of results per model.
        out: the folder to write; an earlier build there is replaced, whole or not at all.
        place: where the index will stand.
        stale: whether to show results that other code computed.

    Returns:
        Where the index is.

    Raises:
        UserError: there is no study, one is damaged or stale, ``out`` holds something that is no
            build, a link of the new site leads nowhere, or there is no browser to draw stills.
    """
    out = out.resolve()
    check_replaceable(out)
    told = {folder.name: evidence_of(folder, stale) for folder in study_folders(studies)}
    with replacing(out) as scratch:
        copy_static(scratch)
        shutil.copy2(CARD, scratch / CARD.name)
        for name, evidence in told.items():
            write_page(scratch / name, evidence, replace(place, root="../"))
        _write(scratch / PAGE, "index.html", place, told)
        _write(scratch / "feed.xml", "feed.xml", place, told)
        _write(scratch / "README.md", "site_readme.md", place, told)
        _refuse_broken(scratch)
    return out / PAGE


def study_folders(studies: Path) -> list[Path]:
    """The folders that hold a study, by name.

    Raises:
        UserError: there is none.
    """
    found = sorted(path.parent for path in studies.glob("*/next_token.json"))
    if not found:
        raise UserError(f"There is no study in {studies}: run `python -m analysis study` first.")
    return found


def _write(path: Path, template: str, place: Place, told: Mapping[str, Evidence]) -> None:
    text = (
        environment()
        .get_template(template)
        .render(
            place=place,
            studies=[(name, make_claims(evidence)) for name, evidence in told.items()],
            changes=changes(CHANGELOG.read_text(encoding="utf-8")),
        )
    )
    path.write_text(text, encoding="utf-8")


def _refuse_broken(folder: Path) -> None:
    broken = broken_links(folder)
    if broken:
        raise UserError(f"Links of the site lead nowhere: {'; '.join(broken[:5])}.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site and say where it is; returns the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        place = replace(
            SITE,
            address=asked.address,
            app=asked.app,
            stills=_can_draw(),
            repository=asked.repository,
        )
        print(build_site(asked.results, asked.out, place, asked.stale))
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _can_draw() -> bool:
    """Whether still images can be drawn; says so if not."""
    try:
        return bool(find_browser())
    except UserError as error:
        print(f"note: images for readers without JavaScript are left out. {error}", file=sys.stderr)
        return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m report.site", description=__doc__)
    parser.add_argument("--results", type=Path, default=results.ROOT, help="a folder per model")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write")
    parser.add_argument("--address", default="", help="where the site will be read")
    parser.add_argument("--app", default=LOCAL, help="address of the app that figures link to")
    parser.add_argument(
        "--repository", default="", help="OWNER/NAME on GitHub, for a link to the notebook in Colab"
    )
    parser.add_argument("--stale", action="store_true", help="show results of other code, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
