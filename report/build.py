"""Results, figures and templates to one self-contained folder."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plotly.offline import get_plotlyjs

from analysis.errors import UserError
from analysis.evidence import Evidence, check_current, load_evidence
from analysis.figures import FIGURES
from report.images import draw, find_browser
from report.page import ALONE, render
from report.place import STILL_WIDTH, Place
from report.summaries import document

STATIC = Path(__file__).resolve().parent / "static"
PAGE = "index.html"
STILL_SCALE = 1.25
"""Pixels of a still image for each of the page's: the page stays small."""
MARK = '<meta name="generator" content="an-neuron report">'
"""What the page of every build carries, so that a build is known from any other folder."""


def build(results_folder: Path, out: Path, place: Place = ALONE, stale: bool = False) -> Path:
    """Render one study into a folder that needs no network.

    Args:
        results_folder: the study's results, ``results/<model>``.
        out: the folder to write; an earlier build there is replaced, whole or not at all.
        place: where the page will stand.
        stale: whether to show results that other code computed.

    Returns:
        Where the page is.

    Raises:
        UserError: results are missing, damaged or stale, ``out`` holds something that is no build,
            or there is no browser to draw stills.
    """
    out = out.resolve()
    check_replaceable(out)
    evidence = evidence_of(results_folder, stale)
    with replacing(out) as scratch:
        copy_static(scratch)
        write_page(scratch, evidence, place)
    return out / PAGE


def write_page(folder: Path, evidence: Evidence, place: Place) -> None:
    """One study's page, with its results as JSON and, where the place has them, still images.

    Raises:
        UserError: there is no browser to draw stills.
    """
    folder.mkdir(exist_ok=True)
    (folder / PAGE).write_text(render(evidence, place), encoding="utf-8")
    (folder / "data").mkdir()
    for step in evidence.provenance:
        text = json.dumps(document(evidence, step), ensure_ascii=False, allow_nan=False)
        (folder / "data" / f"{step}.json").write_text(text + "\n", encoding="utf-8")
    if place.stills:
        (folder / "images").mkdir()
        for name, content in draw_stills(evidence).items():
            (folder / "images" / name).write_bytes(content)


def draw_stills(evidence: Evidence) -> dict[str, bytes]:
    """Every figure of a study as a PNG, by file name.

    Raises:
        UserError: there is no browser to draw.
    """
    figures = {name: d.draw(getattr(evidence, d.step)) for name, d in FIGURES.items()}
    return draw(figures, find_browser(), ("png",), STILL_WIDTH, STILL_SCALE)


def evidence_of(results_folder: Path, stale: bool = False) -> Evidence:
    """A study, refused where other code than this computed it, unless ``stale`` allows it.

    Raises:
        UserError: results are missing, damaged or stale.
    """
    evidence = load_evidence(results_folder)
    if not stale:
        check_current(evidence)
    return evidence


def copy_static(folder: Path) -> None:
    """Scripts and styles, and the library that draws."""
    shutil.copytree(STATIC, folder, dirs_exist_ok=True)
    (folder / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")


def check_replaceable(out: Path) -> None:
    """A folder is replaced only if it is an earlier build, so that nothing else is ever lost.

    Raises:
        UserError: it is something else.
    """
    if out.is_dir() and (not any(out.iterdir()) or _is_build(out / PAGE)):
        return
    if out.exists():
        raise UserError(f"{out} is not an earlier report: give --out a new or an empty folder.")


def _is_build(page: Path) -> bool:
    return page.is_file() and MARK in page.read_text(encoding="utf-8", errors="replace")


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A scratch folder that takes the place of ``out`` when the block ends well, else vanishes."""
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    old = scratch.with_name(scratch.name + ".old")
    try:
        yield scratch
        scratch.chmod(0o755)
        if out.exists():
            out.rename(old)
        try:
            scratch.rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
