"""A GGUF file turned once into a folder of fp32 safetensors that loads a hundred times faster.

It knows neither the catalogue nor Subject: a file and its checksum in, a verified folder out.
"""

import json
import shutil
from pathlib import Path

from analysis.code_version import code_version
from analysis.errors import UserError, first_line, lacks_memory
from analysis.loading.assets import cache_root, exclusive, notice, replace_folder, sha256
from analysis.loading.checkpoint import quieten
from analysis.loading.gguf_file import open_gguf
from analysis.loading.gguf_model import build_model, check_architecture
from analysis.loading.gguf_tokenizer import build_tokenizer

CONVERTERS = tuple(f"analysis.loading.gguf_{part}" for part in ("file", "model", "tokenizer"))
"""What decides how a conversion comes out."""

MANIFEST = "manifest.json"


def converted_folder(checksum: str) -> Path:
    """Where this code's conversion of the GGUF file with this sha256 is kept.

    The code is part of the name: what an earlier state of it made is not taken for its own.
    """
    return cache_root() / "models" / f"{checksum[:16]}-{code_version(*CONVERTERS)}"


def convert(gguf: Path, checksum: str) -> Path:
    """The verified folder of fp32 weights, configuration and tokenizer of a GGUF file.

    Args:
        gguf: the file; read only if there is no sound conversion in the cache.
        checksum: its sha256, which names the folder.

    Raises:
        UserError: the file is damaged or of an unsupported architecture, or the cache is full.
    """
    folder = converted_folder(checksum)
    if intact(folder):
        return folder
    with exclusive(folder) as part:
        if not intact(folder):
            if folder.exists():
                notice(f"The converted model in {folder} is damaged; converting it again.")
            _write(gguf, part)
            _write_manifest(part)
            replace_folder(part, folder)
            _discard_older(folder)
    return folder


def _discard_older(folder: Path) -> None:
    """Remove what earlier states of the converters made of the same file: gigabytes, in time."""
    for other in folder.parent.glob(f"{folder.name.split('-')[0]}*"):
        if other.is_dir() and other != folder and not other.suffix:
            shutil.rmtree(other, ignore_errors=True)


def intact(folder: Path) -> bool:
    """Whether every file has the sha256 that the folder's manifest lists."""
    try:
        checksums = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        matches = [sha256(folder / name) == checksum for name, checksum in checksums.items()]
    except (OSError, ValueError, AttributeError):
        return False
    return bool(matches) and all(matches)


def _write_manifest(folder: Path) -> None:
    checksums = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    (folder / MANIFEST).write_text(json.dumps(checksums, indent=2), encoding="utf-8")


def _write(path: Path, folder: Path) -> None:
    """Save model and tokenizer; what is not supported is refused before a tensor is expanded.

    Raises:
        UserError: the file cannot be turned into a model rightly.
    """
    quieten()
    file = open_gguf(path)
    check_architecture(file)
    notice(f"Converting {path.name} to fp32 safetensors (once)...")
    try:
        tokenizer, model = build_tokenizer(file), build_model(file)
    except UserError:
        raise
    except Exception as error:
        if lacks_memory(error):
            raise
        reason = first_line(error)
        raise UserError(f"{path} cannot be read as a GGUF language model ({reason}).") from error
    try:
        tokenizer.save_pretrained(folder)
        model.save_pretrained(folder)
    except Exception as error:  # each library has a kind of its own for a full disk
        raise OSError(first_line(error)) from error
