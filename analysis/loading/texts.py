"""Texts out of files of any size, one document after the other: plain, JSON Lines or Parquet.

No more than a part of one document, or a few rows of Parquet, is in memory at once.
"""

import glob
import hashlib
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock

from analysis.errors import UserError, first_line
from analysis.progress import Progress, silent

FORMATS = ("txt", "jsonl", "parquet")

PART = 1 << 20
"""Characters of a document that are read at once; what is longer is read as several documents."""

LONGEST_LINE = 1 << 26
"""Characters of a line of JSON: without a bound, a file with no line ends would fill the memory."""

ROWS = 64
"""Rows of Parquet that are read at once."""

BUFFER = 1 << 20
"""Bytes of Parquet that are read ahead."""

STDIN = "-"

SPOOLED = "stdin-"
"""How the names of files begin that standard input is kept in."""


@dataclass(frozen=True)
class Texts:
    """Documents in files, numbered through all of them.

    Attributes:
        files: in the order in which they are read.
        field: where the text of a row stands, in JSON Lines and Parquet.
        form: one of ``FORMATS``, for all files; empty where each file's name says it.
        unreadable: told of a file that cannot be read, the rest of which is then left out; without
            it, that ends the reading.
    """

    files: tuple[Path, ...]
    field: str = "text"
    form: str = ""
    unreadable: Callable[[str], None] | None = None

    def documents(self, progress: Progress = silent) -> Iterator[tuple[int, str]]:
        """(number, text) of every document that has any text.

        Args:
            progress: told the share of the files' bytes that has been read.

        Raises:
            UserError: a file cannot be read, and none may be left out.
        """
        number, before, whole = 0, 0, max(1, self.bytes)
        for path in self.files:
            for text, done in self._readable(path):
                progress(min(1.0, (before + done) / whole))
                for start in range(0, len(text), PART):
                    if text[start : start + PART].strip():
                        yield number, text[start : start + PART]
                    number += 1
            before += _size(path)

    @property
    def bytes(self) -> int:
        """Of all files together; one that is not there has none."""
        return sum(map(_size, self.files))

    def identity(self) -> list[Any]:
        """What the texts depend on, in plain values: of each file its name, size and time.

        And whether it may be read: one that may not can be left out.
        """
        known = [(path, path.stat()) for path in self.files if path.is_file()]
        files = [
            [_name(path), state.st_size, state.st_mtime_ns, os.access(path, os.R_OK)]
            for path, state in known
        ]
        return [self.form, self.field, *files]

    def _readable(self, path: Path) -> Iterator[tuple[str, int]]:
        """Texts of a file as far as it can be read, and the bytes behind each."""
        try:
            yield from self._read(path)
        except UserError as error:
            if self.unreadable is None:
                raise
            self.unreadable(str(error))

    def _read(self, path: Path) -> Iterator[tuple[str, int]]:
        form = self.form or path.suffix.removeprefix(".").lower()
        if form not in FORMATS:
            raise UserError(
                f"The name of {path} does not say what it is: name it with --format, one of "
                f"{', '.join(FORMATS)}."
            )
        try:
            if form == "parquet":
                yield from _rows(path, self.field)
            elif form == "jsonl":
                yield from _lines(path, self.field)
            else:
                yield from _parts(path)
        except UnicodeDecodeError as error:
            raise UserError(f"{path} is not UTF-8 text ({error.reason}): convert it.") from error
        except OSError as error:
            raise UserError(
                f"{path} cannot be read ({error.strerror or first_line(error)})."
            ) from error


def _parts(path: Path) -> Iterator[tuple[str, int]]:
    """A plain text, in parts that end with a line where lines are not too long."""
    with path.open("rb") as bytes_of, io.TextIOWrapper(bytes_of, "utf-8-sig") as file:
        while part := file.read(PART // 2):
            part += file.readline(PART // 2)
            _check(part, f"{path}")
            yield part, bytes_of.tell()


def _lines(path: Path, field: str) -> Iterator[tuple[str, int]]:
    """The texts of a file of JSON Lines."""
    with path.open("rb") as bytes_of, io.TextIOWrapper(bytes_of, "utf-8-sig") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            where = f"Line {number} of {path}"
            if len(line) == LONGEST_LINE:
                raise UserError(f"{where} is longer than {LONGEST_LINE:,} characters.")
            if line.strip():
                yield _text(line, field, where), bytes_of.tell()


def _text(line: str, field: str, where: str) -> str:
    """The text of one line of JSON."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is no JSON ({first_line(error)}).") from error
    text = row.get(field) if isinstance(row, dict) else None
    if text is None and isinstance(row, dict) and field in row:
        return ""  # as a row of a table without a text
    if not isinstance(text, str):
        raise UserError(f"{where} has no text in a field {field!r}: name it with --field.")
    _check(text, where)
    return text


def _check(text: str, where: str) -> None:
    """Refuse halves of characters, which no tokenizer takes."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{where} holds half a character (a lone surrogate).") from error


def _rows(path: Path, field: str) -> Iterator[tuple[str, int]]:
    """The texts of a Parquet file; rows without one are left out."""
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, buffer_size=BUFFER) as file:
            names = file.schema_arrow.names
            if names.count(field) != 1:
                has = f"{names.count(field)} columns" if field in names else "no column"
                raise UserError(
                    f"{path} has {has} {field!r}, of {', '.join(names)[:200]}: name one with "
                    "--field."
                )
            kind = file.schema_arrow.field(field).type
            if not _is_text(kind):
                raise UserError(f"The column {field!r} of {path} holds {kind} and no text.")
            done, rows = 0, max(1, file.metadata.num_rows)
            for group in range(file.num_row_groups):  # all at once would be read ahead
                for batch in file.iter_batches(ROWS, [group], [field]):
                    done += batch.num_rows
                    for text in batch.column(0):
                        yield text.as_py() or "", _size(path) * done // rows
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no whole Parquet file ({first_line(error)}).") from error


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _name(path: Path) -> str:
    """The name of a file as text, also of one that is none in this system's letters."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def found(patterns: Sequence[str]) -> tuple[Path, ...]:
    """The files of some names and patterns, those of a pattern in the order of their names.

    Raises:
        UserError: a pattern fits no file, or a name is a folder or a pipe.
    """
    files: list[Path] = []
    for pattern in patterns:
        some = [Path(pattern)]
        if glob.has_magic(pattern) and not some[0].exists():
            some = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]
            some = [path for path in some if not path.is_dir()]
            if not some:
                raise UserError(f"No file is named like {pattern!r}.")
        if some[0].is_dir():
            raise UserError(f"{pattern} is a folder: name its files, as in '{pattern}/*.jsonl'.")
        for path in some:
            if path.exists() and not path.is_file():
                raise UserError(
                    f"{path} is no file that can be read twice: pipe its text in, with --files -."
                )
        files += some
    return tuple(dict.fromkeys(files))


@contextmanager
def spooled(folder: Path) -> Iterator[tuple[Path, str]]:
    """Standard input as a file, for it is read more than once, and its checksum.

    Args:
        folder: where the file lies until it is no longer needed.

    Raises:
        UserError: it is closed, or cannot be written there.
    """
    if sys.stdin is None:
        raise UserError("Standard input is closed: pipe the texts in, or name files.")
    path = folder / f"{SPOOLED}{uuid4().hex}"
    lock = FileLock(f"{path}.lock")
    with _keeping(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        lock.acquire()
    try:
        with _keeping(folder):
            checksum = _copied(path)
        yield path, checksum
    finally:
        _drop(path, lock)


@contextmanager
def _keeping(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"Standard input cannot be kept in {folder} ({error.strerror or error})."
        ) from error


def _copied(path: Path) -> str:
    """Write standard input to a file; its checksum."""
    with path.open("wb+") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _clear(folder: Path) -> None:
    """Remove what killed processes left: nobody holds its lock any more."""
    for left in folder.glob(f"{SPOOLED}*.lock"):
        lock = FileLock(left)
        with suppress(OSError):  # held, or another's
            lock.acquire(timeout=0)
            _drop(left.with_suffix(""), lock)


def _drop(path: Path, lock: FileLock) -> None:
    path.unlink(missing_ok=True)
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)
