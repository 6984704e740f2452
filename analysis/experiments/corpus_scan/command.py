"""The verb that reads a corpus: it keeps its scan in a file, and can be broken off and taken up."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from analysis import console
from analysis.calls import Call
from analysis.errors import UserError

if TYPE_CHECKING:
    from analysis.experiments.corpus_scan.sources import Source
    from analysis.inputs import Inputs
    from analysis.progress import Progress
    from analysis.scanning.scan import Scan
    from analysis.subject import Subject


def answer(
    call: Call,
    files: Annotated[
        list[str] | None,
        typer.Option(
            help="Texts to read in place of the corpus: files or patterns in quotes, such as "
            "'texts/*.jsonl'; - is standard input. Can be given again."
        ),
    ] = None,
    form: Annotated[
        Literal["", "txt", "jsonl", "parquet"],
        typer.Option("--format", help="What they are, where their names do not say it."),
    ] = "",
    field: Annotated[
        str, typer.Option(help="Where the text stands in a row of JSON Lines or Parquet.")
    ] = "text",
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Name a file that cannot be read, and go on.")
    ] = False,
    keep: Annotated[
        Path | None, typer.Option(help="File of the scan, taken up if it was broken off.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(help="Write a row for every neuron here: Parquet, or CSV by the name."),
    ] = None,
    curve: Annotated[
        bool,
        typer.Option(
            help="Without, logits are left out, and what follows by activation with them."
        ),
    ] = True,
) -> dict[str, Any]:
    """The scan, and where it is kept."""
    from analysis.experiments.corpus_scan.compute import corpus_scan
    from analysis.loading.assets import cache_root
    from analysis.progress import silent
    from analysis.scanning import scan_files, scan_table

    given = {"field": field, "form": form, "unreadable": _note_once() if skip_unreadable else None}
    with _source(call, files, given) as source:
        subject, seed = call.load(), call.options["seed"]
        inputs = call.inputs(subject) if curve else None
        key = _key(subject, source, seed, inputs)
        path = keep or scan_files.file_of(cache_root() / "scans", key)
        with scan_files.held(path):
            rest = (seed, _so_far(path, key), lambda done: scan_files.save_scan(path, done, key))
            with console.watched("scan") as progress:
                if inputs is None:
                    told = _every_neuron(subject, source, *rest, progress)
                else:
                    contrast, read = inputs.question.contrast(subject), source.held()
                    scan = corpus_scan(subject, inputs.neurons, contrast, read, *rest, progress)
                    told = call.summary(scan)
            if table is not None:
                done = scan_files.load_scan(path, key)
                assert done is not None
                scan_table.write_table(table, subject, done, source.documents(silent), key)
    return {**told, "kept": str(path)}


def _note_once() -> Callable[[str], None]:
    """What tells of a file that is left out, as often as it may be read."""
    return cache(lambda reason: console.note(f"note: left out from there on: {reason}"))


def _source(
    call: Call, files: list[str] | None, given: dict[str, Any]
) -> "AbstractContextManager[Source]":
    """What is read.

    Raises:
        UserError: files and a number of articles are both asked for.
    """
    from analysis.experiments.corpus_scan import DOCUMENTS, sources
    from analysis.loading.assets import cache_root
    from analysis.loading.texts import Texts

    documents = call.options["documents"]
    if not files:
        return nullcontext(sources.articles(documents, call.options["seed"]))
    if documents != DOCUMENTS.default:
        raise UserError("--documents draws articles of the corpus: --files are read as a whole.")
    return sources.files(files, Texts((), **given), cache_root() / "scans")


def _so_far(path: Path, key: dict[str, Any]) -> "Scan | None":
    """What was kept of a scan that was broken off."""
    from analysis.scanning import scan_files

    found = scan_files.load_scan(path, key)
    if found is not None:
        console.note(f"note: {path} holds {found.windows} windows of this scan; it goes on there.")
    return found


def _every_neuron(
    subject: "Subject",
    source: "Source",
    seed: int,
    so_far: "Scan | None",
    keep: "Callable[[Scan], None]",
    progress: "Progress",
) -> dict[str, Any]:
    """Tally every neuron without logits, and hold no more than a shard of the texts."""
    from analysis.engines.reading import windows
    from analysis.experiments.corpus_scan.compute import window_of
    from analysis.scanning.scan import scan, started

    numbers = count()
    documents = (document for document, _ in zip(source.documents(progress), numbers, strict=False))
    done = begun = so_far or started(subject, ())
    for done in scan(
        subject, windows(subject, documents, window_of(subject)), (), None, seed, begun
    ):
        keep(done)
    if not int(done.moments.count):
        raise UserError("There is no text to scan: no document has two tokens.")
    return {"documents": next(numbers), "tokens": int(done.moments.count)}


def _key(
    subject: "Subject", source: "Source", seed: int, inputs: "Inputs | None"
) -> dict[str, Any]:
    """All that a scan depends on."""
    from analysis.scanning.scan_files import model_key

    return {
        **model_key(subject),
        **source.identity,
        "curve": None if inputs is None else _followed(inputs),
        "seed": seed,
    }


def _followed(inputs: "Inputs") -> dict[str, Any]:
    """What the records are of."""
    names = [str(neuron) for neuron in inputs.neurons]
    return {"target": inputs.question.target, "foil": inputs.question.foil, "neurons": names}
