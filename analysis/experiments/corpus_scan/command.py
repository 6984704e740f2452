"""The verb that reads a corpus: it keeps its scan in a file, and can be broken off and taken up."""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from analysis import console
from analysis.calls import Call
from analysis.errors import UserError

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
    str, typer.Option(help="Where the text stands in a row of JSON Lines or Parquet.")
]
Skip = Annotated[
    bool, typer.Option("--skip-unreadable", help="Name a file that cannot be read, and go on.")
]
Keep = Annotated[Path | None, typer.Option(help="File of the scan, taken up if it was broken off.")]
Table = Annotated[
    Path | None,
    typer.Option(help="Write a row for every neuron here: Parquet, or CSV by its name."),
]
Curve = Annotated[
    bool,
    typer.Option(help="Without, logits are left out, and what follows by activation with them."),
]
Engine = Annotated[
    Literal["local", "ray"],
    typer.Option(help="Read here, or by workers on Ray, which the extra `ray` installs."),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Of Ray; else one for each GPU, or processor.")
]
Address = Annotated[
    str | None,
    typer.Option(help="Of a Ray cluster, such as HOST:6379; else Ray is started here."),
]


def answer(
    call: Call,
    files: Files = None,
    form: Format = "",
    field: Field = "text",
    skip_unreadable: Skip = False,
    keep: Keep = None,
    table: Table = None,
    curve: Curve = True,
    engine: Engine = "local",
    workers: Workers = None,
    ray_address: Address = None,
) -> dict[str, Any]:
    """The scan, and where it is kept.

    Raises:
        UserError: something of it cannot be had, or fits nothing else that was given.
    """
    if engine == "local" and (workers, ray_address) != (None, None):
        raise UserError("--workers and --ray-address are of Ray: give --engine ray too.")
    with _source(call, files, form, field, skip_unreadable) as source:
        from analysis.experiments.corpus_scan.work import Ray, Work

        ray = Ray(workers, ray_address) if engine == "ray" else None
        return Work(call, source, curve, ray).run(keep, table)


def _source(
    call: Call, files: list[str] | None, form: str, field: str, skip_unreadable: bool
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
    note = cache(lambda reason: console.note(f"note: left out from there on: {reason}"))
    texts = Texts((), field, form, note if skip_unreadable else None)
    return sources.files(files, texts, cache_root() / "scans")
