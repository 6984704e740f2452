"""The verb that reads a corpus."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis import console
from analysis.asked import Asked, takes
from analysis.errors import UserError
from analysis.verbs.app import NeuronName, Seed, app

if TYPE_CHECKING:
    from analysis.neuron import Neuron
    from analysis.question import Contrast
    from analysis.subject import Subject


@app.command()
@takes(Asked)
def scan(
    asked: Asked,
    neuron: NeuronName = None,
    rivals: Annotated[
        str, typer.Option(help="Neurons to compare with, separated by commas, such as L2N3,L4N5.")
    ] = "",
    documents: Annotated[
        int, typer.Option(min=0, help="How many articles, drawn at random; 0 reads all.")
    ] = 32,
    keep: Annotated[
        Path | None, typer.Option(help="File of the scan, taken up if it was broken off.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="Write a CSV with a row for every neuron here.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """What does every neuron do on a corpus, and does one of them tell where the target comes?"""
    from analysis import corpus
    from analysis.experiments.corpus_scan import corpus_scan, summary
    from analysis.loading.assets import cache_root
    from analysis.neuron import parse_neuron
    from analysis.scanning import scan_files

    texts = corpus.sample(documents or len(corpus.articles()), seed)
    subject = asked.load()
    chosen, contrast = asked.neuron(subject, neuron)
    size = (subject.n_layers, subject.d_mlp)
    near = [parse_neuron(name.strip(), *size) for name in rivals.split(",") if name.strip()]
    neurons = [chosen, *(rival for rival in near if rival != chosen)]
    key = _key(subject, contrast, neurons, len(texts), seed)
    path = keep or scan_files.file_of(cache_root() / "scans", key)
    with scan_files.held(path):
        so_far = scan_files.load_scan(path, key)
        if so_far is not None:
            console.note(
                f"note: {path} holds {so_far.windows} windows of this scan; it goes on there."
            )
        with console.watched("scan") as progress:
            result = corpus_scan(
                subject, neurons, contrast, texts, seed, so_far,
                lambda done: scan_files.save_scan(path, done, key), progress,
            )  # fmt: skip
        if table is not None:
            _write_table(table, subject, path, key, dict(texts))
    console.emit({**summary(result), "kept": str(path)}, asked.as_json)


def _key(
    subject: "Subject", contrast: "Contrast", neurons: "list[Neuron]", documents: int, seed: int
) -> dict[str, Any]:
    """All that a scan depends on."""
    from importlib.metadata import version

    from analysis.code_version import code_version
    from analysis.loading.assets import CORPUS

    return {
        "model": subject.origin.name,
        "revision": subject.origin.revision,
        "dtype": str(subject.dtype),
        "device": subject.device.type,
        "packages": {name: version(name) for name in ("torch", "transformers")},
        "target": contrast.target,
        "foil": contrast.foil,
        "neurons": [str(neuron) for neuron in neurons],
        "corpus": CORPUS.member_sha256,
        "documents": documents,
        "seed": seed,
        "code": code_version("analysis.scanning.scan", "analysis.corpus"),
    }


def _write_table(
    table: Path, subject: "Subject", path: Path, key: dict[str, Any], texts: dict[int, str]
) -> None:
    """Write every neuron's moments and its extremes in their context, whole or not at all."""
    import csv

    from analysis.results import whole
    from analysis.scanning import scan_files
    from analysis.scanning.scan_table import COLUMNS, rows

    done = scan_files.load_scan(path, key)
    assert done is not None
    try:
        with whole(table) as scratch, scratch.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(rows(subject, done, texts))
    except OSError as error:
        raise UserError(f"{table} cannot be written ({error.strerror}).") from error
