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
