"""The whole site: an index over models, a page for each, a feed, a card, and no broken link.

Run with ``python -m report.site`` or ``make site``.
"""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis import results
from analysis.claims import make_claims
from analysis.errors import UserError
from analysis.evidence import Evidence
from report.build import PAGE, check_replaceable, copy_static, evidence_of, replacing
from report.feed import CHANGELOG, changes
from report.linkcheck import broken_links
from report.links import LOCAL
from report.page import environment, render
from report.place import Place

OUT = Path(__file__).resolve().parent.parent / "build" / "site"
CARD = Path(__file__).resolve().parent.parent / "docs" / "card.png"


def build_site(
    studies: Path, out: Path, address: str = "", app: str = LOCAL, stale: bool = False
) -> Path:
    """Render all studies into one folder that any host can serve, and a reader can open.

    Args:
        studies: a folder of results per model.
        out: the folder to write; an earlier build there is replaced, whole or not at all.
        address: where the site will be read, for the feed and the card; may be empty.
        app: address of the app that figures link to.
        stale: whether to show results that other code computed.

    Returns:
        Where the index is.

    Raises:
        UserError: there is no study, one is damaged or stale, ``out`` holds something that is no
            build, or a link of the new site leads nowhere.
    """
    out = out.resolve()
    check_replaceable(out)
    told = {folder.name: evidence_of(folder, stale) for folder in study_folders(studies)}
    place = Place(site=True, address=address, app=app)
    with replacing(out) as scratch:
        copy_static(scratch)
        shutil.copy2(CARD, scratch / CARD.name)
        for name, evidence in told.items():
            _write_page(scratch / name, evidence, address, app)
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


def _write_page(folder: Path, evidence: Evidence, address: str, app: str) -> None:
    folder.mkdir()
    page = render(evidence, Place(root="../", site=True, address=address, app=app))
    (folder / PAGE).write_text(page, encoding="utf-8")


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
    parser = argparse.ArgumentParser(prog="python -m report.site", description=__doc__)
    parser.add_argument("--results", type=Path, default=results.ROOT, help="a folder per model")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write")
    parser.add_argument("--address", default="", help="where the site will be read")
    parser.add_argument("--app", default=LOCAL, help="address of the app that figures link to")
    parser.add_argument("--stale", action="store_true", help="show results of other code, too")
    asked = parser.parse_args(arguments)
    try:
        print(build_site(asked.results, asked.out, asked.address, asked.app, asked.stale))
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
