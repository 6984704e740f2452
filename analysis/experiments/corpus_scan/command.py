"""The verb that reads a corpus: it keeps its scan in a file, and can be broken off and taken up."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis import console
from analysis.calls import Call
from analysis.errors import UserError

if TYPE_CHECKING:
    from analysis.inputs import Inputs
    from analysis.subject import Subject


def answer(
    call: Call,
    keep: Annotated[
        Path | None, typer.Option(help="File of the scan, taken up if it was broken off.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="Write a CSV with a row for every neuron here.")
    ] = None,
    curve: Annotated[
        bool,
        typer.Option(
            help="Without, logits are left out, and what follows by activation with them."
        ),
    ] = True,
) -> dict[str, Any]:
    """The scan, and where it is kept."""
    from analysis.experiments.corpus_scan.compute import corpus_scan, tallied, texts
    from analysis.loading.assets import cache_root
    from analysis.scanning import scan_files

    subject = call.load()
    inputs = call.inputs(subject)
    read = texts(inputs)
    key = _key(subject, inputs, len(read), curve)
    path = keep or scan_files.file_of(cache_root() / "scans", key)
    with scan_files.held(path):
        so_far = scan_files.load_scan(path, key)
        if so_far is not None:
            console.note(
                f"note: {path} holds {so_far.windows} windows of this scan; it goes on there."
            )
        contrast = inputs.question.contrast(subject)
        rest = (read, inputs["seed"], so_far, lambda done: scan_files.save_scan(path, done, key))
        with console.watched("scan") as progress:
            if curve:
                scan = corpus_scan(subject, inputs.neurons, contrast, *rest, progress)
                told = call.summary(scan)
            else:
                done = tallied(subject, (), None, *rest, progress)
                told = {"documents": len(read), "tokens": int(done.moments.count)}
        if table is not None:
            _write_table(table, subject, path, key, dict(read))
    return {**told, "kept": str(path)}


def _key(
    subject: "Subject", inputs: "Inputs", documents: int, curve: bool = True
) -> dict[str, Any]:
    """All that a scan depends on."""
    from importlib.metadata import version

    from analysis.code_version import code_version
    from analysis.loading.pinned import CORPUS

    return {
        "model": subject.origin.name,
        "revision": subject.origin.revision,
        "dtype": str(subject.dtype),
        "device": subject.device.type,
        "packages": {name: version(name) for name in ("torch", "transformers")},
        "curve": _followed(inputs) if curve else None,
        "corpus": CORPUS.sha256,
        "documents": documents,
        "seed": inputs["seed"],
        "code": code_version("analysis.scanning.scan", "analysis.corpus"),
    }


def _followed(inputs: "Inputs") -> dict[str, Any]:
    """What the records are of."""
    names = [str(neuron) for neuron in inputs.neurons]
    return {"target": inputs.question.target, "foil": inputs.question.foil, "neurons": names}


def _write_table(
    table: Path, subject: "Subject", path: Path, key: dict[str, Any], texts: dict[int, str]
) -> None:
    """Write every neuron's moments and its extremes in their context, whole or not at all."""
    import csv

    from analysis.results import atomic
    from analysis.scanning import scan_files
    from analysis.scanning.scan_table import COLUMNS, rows

    done = scan_files.load_scan(path, key)
    assert done is not None
    try:
        with atomic(table) as scratch, scratch.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(rows(subject, done, texts))
    except OSError as error:
        raise UserError(f"{table} cannot be written ({error.strerror}).") from error
