"""Texts out of a data set, of the Hugging Face hub or of a folder, row by row as they arrive.

Nothing of it is downloaded as a whole, and none of its own code is run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from analysis.errors import UserError, first_line
from analysis.loading.hub import PATIENCE
from analysis.loading.texts import PART
from analysis.progress import Progress, silent

HINT = "Data sets need a package of their own: `pip install '.[datasets]'` in a clone installs it."


@dataclass(frozen=True)
class Dataset:
    """The documents of a data set, numbered by the parts in which they are read.

    Attributes:
        name: owner/name on the hub, or a folder.
        version: hash of its commit on the hub; of a folder, its files with their sizes and times.
        config: which of its configurations, empty for its only one.
        split: which of its splits.
        field: where the text of a row stands.
        rows: how many rows are read; 0 is all.
    """

    name: str
    version: str
    config: str = ""
    split: str = "train"
    field: str = "text"
    rows: int = 0

    def documents(self, progress: Progress = silent) -> Iterator[tuple[int, str]]:
        """(number, text) of every row that has any text; a long one in parts.

        Args:
            progress: told the share of the rows, where their number is known.

        Raises:
            UserError: it cannot be read, or has no such split or field.
        """
        number = 0
        for done, text in enumerate(self._texts()):
            if self.rows:
                progress(done / self.rows)
            for start in range(0, len(text), PART):
                if text[start : start + PART].strip():
                    yield number, text[start : start + PART]
                number += 1

    def identity(self) -> list[Any]:
        """What the texts depend on, in plain values."""
        return [self.name, self.version, self.config, self.split, self.field, self.rows]

    def _texts(self) -> Iterator[str]:
        try:
            for row in islice(self._stream(), self.rows or None):
                yield self._text(row)
        except UserError:
            raise
        except Exception as error:  # whatever its files and the network raise
            raise UserError(
                f"The data set {self.name} cannot be read ({first_line(error)})."
            ) from error

    def _stream(self) -> Iterator[Any]:
        where = {} if Path(self.name).is_dir() else {"revision": self.version}
        load = _package().load_dataset
        return iter(load(self.name, self.config or None, split=self.split, streaming=True, **where))

    def _text(self, row: Any) -> str:
        """The text of a row; none is empty."""
        text = row.get(self.field, self)
        if text is self:
            raise UserError(
                f"{self.name} has no field {self.field!r}, of {', '.join(row)[:200]}: name one "
                "with --field."
            )
        if not isinstance(text, str | None):
            raise UserError(f"The field {self.field!r} of {self.name} holds no text.")
        return text or ""


def version(name: str) -> str:
    """Which state of a data set it is that is read.

    Raises:
        UserError: there is no such folder, and the hub does not answer or does not have it.
    """
    _package()
    folder = Path(name)
    if folder.is_dir():
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        known = ((path, path.stat()) for path in files)
        return repr([(f"{path}", state.st_size, state.st_mtime_ns) for path, state in known])
    from huggingface_hub import HfApi

    try:
        return str(HfApi().dataset_info(name, timeout=PATIENCE).sha)
    except Exception as error:
        raise UserError(
            f"{name} is no folder, and no data set that the hub gives ({first_line(error)})."
        ) from error


def _package() -> Any:
    """The package that streams.

    Raises:
        UserError: it is not installed.
    """
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise UserError(HINT) from error
    datasets.disable_progress_bars()
    return datasets
