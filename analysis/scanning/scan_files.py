"""Scans on disk: one file that a kill at any moment leaves whole, and that knows what it is of."""

import glob
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from analysis.code_version import code_version
from analysis.errors import UserError
from analysis.results import atomic
from analysis.scanning.scan import Scan
from analysis.subject import Subject

Key = Mapping[str, Any]
"""All that a scan depends on, in plain values: model, corpus, neurons, seed and code."""


def model_key(subject: Subject) -> dict[str, Any]:
    """What of a scan's key is of the model, and of the code that reads it."""
    return {
        "model": subject.origin.name,
        "revision": subject.origin.revision,
        "dtype": subject.arithmetic.name,
        "device": subject.device.type,
        "packages": {name: version(name) for name in ("torch", "transformers")},
        "code": code_version("analysis.scanning.scan", "analysis.corpus", "analysis.loading.texts"),
    }


def file_of(folder: Path, key: Key) -> Path:
    """Where the scan of this key is kept."""
    digest = hashlib.sha256(_text(key).encode()).hexdigest()[:16]
    return folder / f"{key['model']}-{digest}.safetensors"


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep every other process from writing this scan, and clear away what killed ones left.

    Raises:
        UserError: another process is writing it, or nothing can be written there.
    """
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(
            f"The scan {path} is being written by another process: wait for it or name another "
            "file with --keep."
        ) from error
    except OSError as error:
        raise UserError(_unwritable(path, error)) from error
    try:
        for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
            left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def save_scan(path: Path, scan: Scan, key: Key) -> None:
    """Write a scan under a temporary name and move it into place once it is on the disk.

    Raises:
        UserError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as scratch:
            save_file(scan.tensors(), scratch, metadata={"key": _text(key)})
            with scratch.open("rb") as file:
                os.fsync(file.fileno())
    except (SafetensorError, OSError) as error:
        raise UserError(_unwritable(path, error)) from error


def load_scan(path: Path, key: Key) -> Scan | None:
    """The scan that was saved; nothing if there is none yet.

    Raises:
        UserError: the file is damaged, or is the scan of something else.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            stored = (file.metadata() or {}).get("key")
            if stored != _text(key):
                raise UserError(f"{path} is the scan of something else: name another file.")
            return Scan.restored({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (SafetensorError, OSError, KeyError) as error:
        raise UserError(f"The scan {path} is damaged: delete it, and it is made again.") from error


def _unwritable(path: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or error
    return f"The scan {path} cannot be written ({reason}): make room or name another file."


def _text(key: Key) -> str:
    return json.dumps(key, sort_keys=True, ensure_ascii=False)
