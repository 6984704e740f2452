"""Studies and templates to one folder of pages that needs no network, with an index."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from plotly.offline import get_plotlyjs

from analysis.beside import beside
from analysis.drawing import SCRIPTS
from analysis.errors import UserError
from report.feed import CHANGELOG, changes
from report.files import write_data, write_stills
from report.folders import check_nothing_else, check_replaceable, replacing
from report.linkcheck import broken_links
from report.over_questions import Table, tables, write_table
from report.page import OverQuestions, environment, pages
from report.panels import plots
from report.place import Place
from report.studies import Study, document, read_studies, table

STATIC = Path(__file__).parent / "static"
PAGE = "index.html"
CARD = "docs/card.png"
MARK = '<meta name="generator" content="an-neuron report">'
"""What the page of every build carries, so that a build is known from any other folder."""


def build(
    results: Path,
    out: Path,
    place: Place = Place(),  # noqa: B008  (it is frozen)
    stale: bool = False,
    model: str = "",
    question: str = "",
) -> Path:
    """Render studies into one folder that any host can serve, and a reader can open.

    Args:
        results: a folder of results, ``MODEL/QUESTION`` below it for each study.
        out: the folder to write; an earlier build there is replaced, whole or not at all.
        place: where the index will stand.
        stale: whether to show results that other code computed.
        model: name of the only model to show; by default every one.
        question: name of the only question to show; by default every one.

    Returns:
        Where the index is.

    Raises:
        UserError: there is no study, one is damaged or stale, ``out`` holds something that is no
            build, a link of the pages leads nowhere, or there is no browser to draw stills.
    """
    out = out.resolve()
    check_replaceable(out, _is_build, "an earlier report")
    studies = read_studies(results, model, question, stale)
    over = () if question else tuple(tables(results, studies, stale))
    place = replace(place, card=beside(CARD) is not None, feed=beside(CHANGELOG) is not None)
    with replacing(out) as scratch:
        _copy_static(scratch)
        for study in studies:
            home = study.path.parent
            kin = frozenset(each.path.name for each in studies if each.path.parent == home)
            words = next((each.seen for each in over if each.path == home), None)
            write_page(scratch / study.path, study, replace(place, beside=kin), words)
        for each in over:
            write_table(scratch, each, place)
        _write_index(scratch, studies, over, place)
        _refuse_broken(scratch)
        check_nothing_else(out, scratch)
    return out / PAGE


def write_page(
    folder: Path, study: Study, place: Place, words: OverQuestions | None = None
) -> None:
    """One study's pages, with its results as JSON and, where the place has them, still images.

    Raises:
        UserError: there is no browser to draw stills.
    """
    folder.mkdir(parents=True)
    here = replace(place, root="../" * len(study.path.parts))
    for file, text in pages(study.evidence, here, words, study.claims).items():
        (folder / file).write_text(text, encoding="utf-8")
    for name in study.evidence.results:
        write_data(folder, name, document(study.evidence, name))
    if place.stills:
        write_stills(folder, plots(study.evidence))


def _copy_static(folder: Path) -> None:
    """Scripts and styles, the library that draws, and the card."""
    shutil.copytree(STATIC, folder, dirs_exist_ok=True)
    for script in SCRIPTS:
        shutil.copy2(script, folder / script.name)
    (folder / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
    card = beside(CARD)
    if card:
        shutil.copy2(card, folder / card.name)


def _write_index(
    folder: Path, studies: Sequence[Study], over: Sequence[Table], place: Place
) -> None:
    """The index, the feed and what a host of static pages reads."""
    changelog = beside(CHANGELOG)
    news = changes(changelog.read_text(encoding="utf-8")) if changelog else ()
    files = {PAGE: "index.html", "README.md": "site_readme.md"}
    columns, rows = table(studies)
    seen = {"studies": studies, "columns": columns, "rows": rows, "tables": over, "changes": news}
    for name, template in (files | ({"feed.xml": "feed.xml"} if news else {})).items():
        text = environment().get_template(template).render(seen, place=place)
        (folder / name).write_text(text, encoding="utf-8")


def _refuse_broken(folder: Path) -> None:
    broken = broken_links(folder)
    if broken:
        raise UserError(f"Links of the pages lead nowhere: {'; '.join(broken[:5])}.")


def _is_build(folder: Path) -> bool:
    page = folder / PAGE
    return page.is_file() and MARK in page.read_text(encoding="utf-8", errors="replace")
