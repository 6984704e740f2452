"""The verb that reads a corpus: it keeps its scan in a file, and can be broken off and taken up."""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from analysis import console
from analysis.calls import Call
from analysis.errors import UserError
from analysis.workers import Address, Engine, Workers, ray_of

if TYPE_CHECKING:
    from analysis.experiments.corpus_scan.sources import Source

Files = Annotated[
    list[str] | None,
    typer.Option(
        help="Texts to read in place of the corpus: files or patterns in quotes, such as "
        "'texts/*.jsonl'; - is standard input. Can be given again."
    ),
]
Format = Annotated[
    Literal["", "txt", "jsonl", "parquet"],
    typer.Option("--format", help="What they are, where their names do not say it."),
]
Field = Annotated[
    str, typer.Option(help="Where the text stands in a row of JSON Lines, Parquet or a data set.")
]
Dataset = Annotated[
    str,
    typer.Option(
        help="A data set to read in place of the corpus, row by row: owner/name on the Hugging "
        "Face hub, with a configuration as owner/name:config, or a folder. `an-neuron\\[datasets]` "
        "installs what reads it."
    ),
]
Split = Annotated[str, typer.Option(help="Of the data set.")]
Rows = Annotated[int, typer.Option(min=0, help="Of the data set to read; 0 is all.")]
Skip = Annotated[
    bool, typer.Option("--skip-unreadable", help="Name a file that cannot be read, and go on.")
]
Keep = Annotated[Path | None, typer.Option(help="File of the scan, taken up if it was broken off.")]
Table = Annotated[
    Path | None,
    typer.Option(help="Write a row for every neuron here: Parquet, or CSV by its name."),
]
Results = Annotated[
    Path | None,
    typer.Option(
        help="Folder of results: scan for the study there, about the neuron that its sweep found, "
        "and keep what is found in place of the study's own smaller scan."
    ),
]
Curve = Annotated[
    bool,
    typer.Option(help="Without, logits are left out, and what follows by activation with them."),
]


def answer(
    call: Call,
    files: Files = None,
    form: Format = "",
    field: Field = "text",
    skip_unreadable: Skip = False,
    dataset: Dataset = "",
    split: Split = "train",
    rows: Rows = 0,
    keep: Keep = None,
    table: Table = None,
    results: Results = None,
    curve: Curve = True,
    engine: Engine = "local",
    workers: Workers = None,
    ray_address: Address = None,
) -> dict[str, Any]:
    """The scan, and where it is kept.

    Raises:
        UserError: something of it cannot be had, or fits nothing else that was given.
    """
    ray = ray_of(engine, workers, ray_address)
    if results is not None:
        _check_for_a_study(call, bool(files or dataset), curve, engine)
    if call.named and not curve:
        console.note(
            "note: without the curve no neuron is told of by its name; --table has them all."
        )
    if files and dataset:
        raise UserError("--files and --dataset are two things to read: give one.")
    if not dataset and (split, rows) != ("train", 0):
        raise UserError("--split and --rows are of a data set: name one with --dataset.")
    if not (files or dataset) and (form or field != "text" or skip_unreadable):
        raise UserError("--format, --field and --skip-unreadable are of texts: name --files.")
    with (
        _of_dataset(call, dataset, split, field, rows)
        if dataset
        else _source(call, files, form, field, skip_unreadable)
    ) as source:
        from analysis.experiments.corpus_scan.work import Work

        return Work(call, source, curve, ray, results).run(keep, table)


def _check_for_a_study(call: Call, own: bool, curve: bool, engine: str) -> None:
    """Refuse what is no larger scan of the same as the study's own.

    Raises:
        UserError: it is not.
    """
    if own or not curve:
        raise UserError("--results keeps articles with their curve: no other texts, no --no-curve.")
    if call.named:
        raise UserError("--results takes the neuron and its rivals from the study: name none.")
    if engine == "ray" and call.device != "cpu":
        raise UserError("--results keeps what one kind of processor read: give no --device to Ray.")


def _source(
    call: Call, files: list[str] | None, form: str, field: str, skip_unreadable: bool
) -> "AbstractContextManager[Source]":
    """What is read.

    Raises:
        UserError: files and a number of articles are both asked for.
    """
    from analysis.experiments.corpus_scan import sources
    from analysis.loading.assets import cache_root
    from analysis.loading.texts import Texts

    if not files:
        return nullcontext(sources.articles(call.options["documents"], call.options["seed"]))
    _check_no_articles(call)
    note = cache(lambda reason: console.note(f"note: left out from there on: {reason}"))
    texts = Texts((), field, form, note if skip_unreadable else None)
    return sources.files(files, texts, cache_root() / "scans")


def _of_dataset(
    call: Call, name: str, split: str, field: str, rows: int
) -> "AbstractContextManager[Source]":
    """A data set to read.

    Raises:
        UserError: it cannot be had, or a number of articles is asked for, too.
    """
    from analysis.experiments.corpus_scan.sources import Source
    from analysis.loading.datasets import Dataset as Rows
    from analysis.loading.datasets import version

    _check_no_articles(call)
    where, _, config = (name, "", "") if Path(name).is_dir() else name.partition(":")
    read = Rows(where, version(where), config, split, field, rows)
    return nullcontext(Source(read.documents, {"dataset": read.identity()}))


def _check_no_articles(call: Call) -> None:
    """Refuse a number of articles where other texts are read.

    Raises:
        UserError: one is asked for.
    """
    from analysis.experiments.corpus_scan import DOCUMENTS

    if call.options["documents"] != DOCUMENTS.default:
        raise UserError(
            "--documents draws articles of the corpus: other texts are read as a whole."
        )
