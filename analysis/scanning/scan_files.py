"""Scans on disk: one file that a kill at any moment leaves whole, and that knows what it is of."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from analysis.code_version import code_version
from analysis.errors import UserError
from analysis.results import SCRATCH, atomic
from analysis.scanning.scan import Scan
from analysis.subject import Subject

Key = Mapping[str, Any]
"""All that a scan depends on, in plain values: model, corpus, neurons, seed and code."""

ABOUT = "scan"
"""Under it the metadata of the file say what it is: under one name, for several have no order."""


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
        scratch = re.compile(rf"\.{re.escape(path.name)}\.\w{{8}}{re.escape(SCRATCH)}")
        for left in path.parent.iterdir():
            if scratch.fullmatch(left.name):  # and no other file that is hidden there
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
            tensors = scan.tensors()
            about = {"key": key, "sha256": _checksum(tensors)}
            save_file(tensors, scratch, metadata={ABOUT: _text(about)})
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
            about = json.loads((file.metadata() or {}).get(ABOUT, "{}"))
            if _text(about.get("key", {})) != _text(key):
                raise UserError(f"{path} is the scan of something else: name another file.")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if _checksum(tensors) != about.get("sha256"):
            raise ValueError("other numbers")
        return Scan.restored(tensors)
    except UserError:
        raise
    except (SafetensorError, OSError, KeyError, ValueError, AttributeError) as error:
        raise UserError(
            f"{path} is no scan, or a damaged one: name another file, or, if it was a scan, delete "
            "it, and it is made again."
        ) from error


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    """Of the names, kinds, shapes and bytes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _unwritable(path: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or error
    return f"The scan {path} cannot be written ({reason}): make room or name another file."


def _text(key: Key) -> str:
    return json.dumps(key, sort_keys=True, ensure_ascii=False)
