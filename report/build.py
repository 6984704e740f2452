"""Results, figures and templates to one self-contained folder."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plotly.offline import get_plotlyjs

from analysis.errors import UserError
from analysis.evidence import Evidence, check_current, load_evidence
from report.links import LOCAL
from report.page import render
from report.place import Place

STATIC = Path(__file__).resolve().parent / "static"
PAGE = "index.html"
MARK = '<meta name="generator" content="an-neuron report">'
"""What the page of every build carries, so that a build is known from any other folder."""


def build(results_folder: Path, out: Path, app: str = LOCAL, stale: bool = False) -> Path:
    """Render one study into a folder that needs no network.

    Args:
        results_folder: the study's results, ``results/<model>``.
        out: the folder to write; an earlier build there is replaced, whole or not at all.
        app: address of the app that figures link to.
        stale: whether to show results that other code computed.

    Returns:
        Where the page is.

    Raises:
        UserError: results are missing, damaged or stale, or ``out`` holds something that is no
            build.
    """
    out = out.resolve()
    check_replaceable(out)
    page = render(evidence_of(results_folder, stale), Place(app=app))
    with replacing(out) as scratch:
        copy_static(scratch)
        (scratch / PAGE).write_text(page, encoding="utf-8")
    return out / PAGE


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
