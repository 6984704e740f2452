"""Results on disk: plain values as json, arrays as npz, and where they came from.

A saved Result is loaded and drawn with no model in memory.
"""

import dataclasses
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import platformdirs
from jaxtyping import Float, Float32

from analysis.errors import UserError
from analysis.loading.assets import sha256
from analysis.parsing import parsed

R = TypeVar("R")

DROPPED_BITS = 10
"""Of the 23 of a float32's fraction: thirteen are left, and an error below a part in 16,000."""

COMMITTED = next(
    folder
    for folder in (
        Path(__file__).resolve().parent / "committed",
        Path(__file__).resolve().parent.parent / "results",
    )
    if folder.is_dir() or folder.name == "results"
)
"""The committed studies: beside the packages where they are installed, else in the checkout."""


def out() -> Path:
    """Where results go unless told otherwise: the folder one works in, else the user's data."""
    if os.access(Path.cwd(), os.W_OK):
        return Path("results")
    return platformdirs.user_data_path("an-neuron") / "results"


@dataclass(frozen=True)
class Provenance:
    """All that is needed to make a result again and to trust it.

    Attributes:
        experiment: name of the experiment.
        model: name of the model.
        source: where the model came from.
        revision: its commit hash, or the checksum of its weights.
        inputs: what was asked: prompts, tokens, neuron, seed and other settings.
        packages: versions of the packages that computed.
        device: device and machine type.
        dtype: type of the weights.
        code: checksum of the source files that compute the experiment.
        when: end of the computation, UTC, ISO 8601.
        seconds: how long it took.
    """

    experiment: str
    model: str
    source: str
    revision: str
    inputs: Mapping[str, Any]
    packages: Mapping[str, str]
    device: str
    dtype: str
    code: str
    when: str
    seconds: float

    @property
    def key(self) -> str:
        """Two results with the same key came from the same computation, whenever it ran."""
        return self._without("when", "seconds")

    @property
    def question(self) -> str:
        """Two results with the same one answer the same, whatever machine worked the answer out."""
        return self._without("when", "seconds", "packages", "device", "source")

    def _without(self, *names: str) -> str:
        fields = dataclasses.asdict(self)
        return json.dumps({k: v for k, v in fields.items() if k not in names}, sort_keys=True)


def writable(folder: Path) -> Path:
    """The folder, made if need be, once it is known that results can be written there.

    Raises:
        UserError: they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise UserError(
            f"Results cannot be written to {folder} ({error.strerror}): name another folder."
        ) from error


def save(folder: Path, name: str, result: Any, provenance: Provenance) -> None:
    """Write ``name.json`` and ``name.npz`` into a folder, each whole or not at all.

    The json holds the checksum of the npz, so that the two never pass for a pair if they are none.
    Fields that it names as ``rounded`` are kept to four digits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fields = {f.name: getattr(result, f.name) for f in dataclasses.fields(result)}
    arrays = {k: v for k, v in fields.items() if isinstance(v, np.ndarray)}
    plain = {k: v for k, v in fields.items() if k not in arrays}
    arrays |= {name: _to_four_digits(arrays[name]) for name in getattr(result, "rounded", ())}
    with atomic(folder / f"{name}.npz") as scratch, scratch.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    document = {
        "provenance": dataclasses.asdict(provenance),
        "result": plain,
        "arrays_sha256": sha256(folder / f"{name}.npz"),
    }
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    with atomic(folder / f"{name}.json") as scratch:
        scratch.write_text(text + "\n", encoding="utf-8")


def _to_four_digits(values: Float[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """The nearest numbers whose last bits are zero, which take next to no room when packed."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    half, mask = np.uint32(1 << (DROPPED_BITS - 1)), np.uint32(2**32 - (1 << DROPPED_BITS))
    short: np.ndarray = ((bits + half) & mask).view(np.float32)
    return short


SCRATCH = ".part"
"""How the name of a file ends that is being written."""


@contextmanager
def atomic(final: Path) -> Iterator[Path]:
    """A temporary name that becomes the final one when the block ends well, else vanishes.

    Raises:
        UserError: what is there is no file, such as a device.
    """
    final = final.resolve()  # a link stays one
    if final.exists() and not final.is_file():
        raise UserError(f"{final} is no file, and is not written over: name another one.")
    handle, name = tempfile.mkstemp(dir=final.parent, prefix=f".{final.name}.", suffix=SCRATCH)
    os.close(handle)
    scratch = Path(name)
    try:
        yield scratch
        scratch.chmod(0o644)
        scratch.replace(final)
    except OSError as error:
        if error.filename is None:  # a full disk does not say what was being written
            raise OSError(error.errno, error.strerror, str(final)) from error
        raise
    finally:
        scratch.unlink(missing_ok=True)


def exists(folder: Path, name: str) -> bool:
    """Whether a result of that name was saved."""
    return (folder / f"{name}.json").is_file()


def discard(folder: Path, name: str) -> None:
    """Take a saved result away, if there is one."""
    for ending in ("json", "npz"):
        (folder / f"{name}.{ending}").unlink(missing_ok=True)


def load(folder: Path, name: str, kind: type[R]) -> R:
    """Read a saved result.

    Raises:
        UserError: there is no such result, or it is damaged or of another version's form.
    """
    document = _document(folder, name)
    try:
        if sha256(folder / f"{name}.npz") != document["arrays_sha256"]:
            raise ValueError("arrays of another result")
        arrays = parsed(lambda: _arrays(folder / f"{name}.npz"))
        return kind(**_tuples(document["result"]), **arrays)
    except (MemoryError, SystemError):  # the file may be sound
        raise
    except Exception as error:
        raise UserError(_damaged(folder, name)) from error


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def provenance(folder: Path, name: str) -> Provenance:
    """Read where a saved result came from.

    Raises:
        UserError: there is no such result, or it is damaged.
    """
    try:
        return Provenance(**_document(folder, name)["provenance"])
    except (TypeError, KeyError) as error:
        raise UserError(_damaged(folder, name)) from error


def save_plain(folder: Path, name: str, document: Mapping[str, Any]) -> None:
    """Write plain values as ``name.json`` into a folder, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(folder / f"{name}.json") as scratch:
        text = json.dumps(document, ensure_ascii=False, indent=1)
        scratch.write_text(text + "\n", encoding="utf-8")


def load_plain(folder: Path, name: str) -> dict[str, Any]:
    """Read plain values.

    Raises:
        UserError: there are none, or they are damaged.
    """
    return _document(folder, name)


def _document(folder: Path, name: str) -> dict[str, Any]:
    path = folder / f"{name}.json"
    if not path.is_file():
        raise UserError(f"There is no result {path}: run `an-neuron study` first.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(_damaged(folder, name)) from error
    if not isinstance(document, dict):
        raise UserError(_damaged(folder, name))
    return document


def _damaged(folder: Path, name: str) -> str:
    verb = "transplant --keep" if name.startswith("transplant") else "study"
    return (
        f"The result {folder / name}.json is damaged or of another version: "
        f"delete it and run `an-neuron {verb}` again."
    )


def _tuples(value: Any) -> Any:
    """JSON lists as the tuples they were."""
    if isinstance(value, list):
        return tuple(map(_tuples, value))
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value
