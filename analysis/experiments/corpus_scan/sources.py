"""What a scan reads: articles of the embedded corpus, files of any size, or standard input."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis import corpus
from analysis.errors import UserError
from analysis.loading.pinned import CORPUS
from analysis.loading.texts import STDIN, Texts, found, spooled
from analysis.progress import Progress, silent
from analysis.scanning.scan_table import OTHERS

MOST_CHARACTERS = 1 << 27
"""Of texts of which every token is recorded, for the curve: about 30 million tokens, whose records
take 1 GB."""


@dataclass(frozen=True)
class Source:
    """Numbered documents, one in memory at a time; they can be read again.

    Attributes:
        documents: (number, text), from the first; tells its progress.
        identity: all that they depend on, in plain values.
        now: the same as it is now.
        files: those that are read.
    """

    documents: Callable[[Progress], Iterator[tuple[int, str]]]
    identity: dict[str, Any]
    now: Callable[[], dict[str, Any]] | None = None
    files: tuple[Path, ...] = ()

    def again(self) -> Iterator[tuple[int, str]]:
        """The same documents once more.

        Raises:
            UserError: they are others by now.
        """
        yield from self.documents(silent)
        self.check_same()

    def check_same(self) -> None:
        """Refuse files that were written while they were read.

        Raises:
            UserError: one of them was.
        """
        if self.now is not None and self.now() != self.identity:
            raise UserError(OTHERS)

    def held(self) -> list[tuple[int, str]]:
        """All documents at once.

        Raises:
            UserError: there are none, or they are too much to record every token of.
        """
        held, characters = [], 0
        for number, text in self.documents(silent):
            characters += len(text)
            if characters > MOST_CHARACTERS:
                raise UserError(
                    f"The curve keeps every token, and of more than {MOST_CHARACTERS:,} characters "
                    "that is too much: give --no-curve, or fewer files."
                )
            held.append((number, text))
        if not held:
            raise UserError("There is no text to scan.")
        return held


def articles(documents: int, seed: int) -> Source:
    """Random articles of the embedded corpus; none of them, 0, are all."""
    chosen = corpus.sample(documents or len(corpus.articles()), seed)

    def read(progress: Progress) -> Iterator[tuple[int, str]]:
        for done, document in enumerate(chosen):
            progress(done / len(chosen))
            yield document

    return Source(read, {"corpus": CORPUS.sha256, "documents": len(chosen)})


@contextmanager
def files(patterns: Sequence[str], texts: Texts, folder: Path) -> Iterator[Source]:
    """The documents of files.

    Args:
        patterns: names and patterns of names; "-" alone is standard input.
        texts: how they are read; its own files are not looked at.
        folder: where standard input is kept until it has been read.

    Raises:
        UserError: there are no such files, or standard input is not alone or cannot be kept.
    """
    if STDIN not in patterns:
        named = replace(texts, files=found(patterns))

        def known() -> dict[str, Any]:
            return {"files": named.identity()}

        yield Source(named.documents, known(), known, named.files)
        return
    if len(patterns) > 1:
        raise UserError("Standard input (-) is read alone: name it without other files.")
    with spooled(folder) as (path, checksum):
        kept = replace(texts, files=(path,), form=texts.form or "txt")
        yield Source(kept.documents, {"stdin": checksum, "form": kept.form, "field": kept.field})
