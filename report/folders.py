"""Folders that are written whole or not at all, and replace nothing but their like."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.errors import UserError


def check_replaceable(out: Path, is_build: Callable[[Path], bool], what: str) -> None:
    """A folder is replaced only if it is an earlier build, so that nothing else is ever lost.

    Args:
        out: the folder.
        is_build: whether a folder with something in it is such a build.
        what: what it then would be, for the sentence that says that it is not.

    Raises:
        UserError: it is something else.
    """
    if out.is_dir() and (not any(out.iterdir()) or is_build(out)):
        return
    if out.exists():
        raise UserError(f"{out} is not {what}: give --out a new or an empty folder.")


def check_nothing_else(out: Path, build: Path) -> None:
    """Refuse to replace a folder in which stands what no build writes there, such as a ``.git``.

    Args:
        out: the folder.
        build: what would take its place.

    Raises:
        UserError: something of another kind than the files of the build is there.
    """
    kinds = {each.suffix for each in build.iterdir() if each.is_file()}
    for each in out.iterdir() if out.is_dir() else ():
        own = (build / each.name).exists() or (each.is_file() and each.suffix in kinds)
        if not own and (each.is_file() or each.name.startswith(".")):
            raise UserError(
                f"{each} is not of the pages, and would be lost: move it away, or give --out "
                "another folder."
            )


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
