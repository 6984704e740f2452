"""The verb that puts many questions to one model."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis import console, results
from analysis.calls import Call
from analysis.errors import UserError
from analysis.workers import Address, Engine, Workers, ray_of
from analysis.workers import engine as workplace

if TYPE_CHECKING:
    from analysis.experiments.library.measured import Library
    from analysis.inputs import Inputs
    from analysis.progress import Progress
    from analysis.subject import Subject

TABLES = {
    "best_neuron": ("title", "verdict", "neuron", "recovery", "recovery_interval"),
    "lead_over_the_second": ("title", "second", "lead", "lead_interval"),
    "writes_and_needs": ("title", "target", "foil", "target_rank", "neurons_for_half"),
    "on_news": ("title", "precision", "recall", "rate"),
}
"""How the one wide table is cut for a reader."""


@dataclass(frozen=True)
class Made:
    """A row on its way into the table.

    Attributes:
        given: what was asked.
        row: what is known so far; what news say may be missing.
        folder: where it is kept, if it is.
    """

    given: "Inputs"
    row: "Library"
    folder: Path | None = None


def answer(
    call: Call,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Questions of the library, or files; by itself the whole library."),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="Folder of results: rows kept there are not made again, new ones are."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Make rows again, although they are kept.")
    ] = False,
    engine: Engine = "local",
    workers: Workers = None,
    ray_address: Address = None,
) -> dict[str, Any]:
    """One row a question, told as it is finished, and which questions cannot be asked."""
    from analysis.experiments.library.compute import summary, together
    from analysis.experiments.library.facts import verdicts
    from analysis.experiments.library.tables import LISTING

    calls = {each.question or "the question": each for each in _calls(call, names or [])}
    _check_documents(call)
    subject, ray = call.load(), ray_of(engine, workers, ray_address)
    load = call.load if ray else lambda: subject
    with workplace(load, call.device, ray, console.note) as each:
        work = partial(_made, keep, again)
        made, missing = console.one_by_one(each, work, calls, _line, ray is None)
    if not made:
        raise UserError(" ".join(missing.values()))
    result = together(_on_news(call, subject, made), missing)
    if call.as_json:
        return {**verdicts(result), **summary(result)}
    tables = {
        name: [{column: row[column] for column in columns} for row in LISTING.rows(result)]
        for name, columns in TABLES.items()
    }
    return {"verdict": verdicts(result)["verdict"], **tables, "missing": missing}


def _calls(call: Call, names: list[str]) -> list[Call]:
    """A call for each question: those named, the one that is typed, or the whole library."""
    from analysis.questions import library

    typed = (call.question, call.clean, call.corrupted, call.target, call.foil)
    if not names and any(each is not None for each in typed):
        return [call]
    if any(each is not None for each in typed[1:]):
        raise UserError("Name questions, or type one with --clean and --corrupted: not both.")
    named = [*([call.question] if call.question else []), *names] or library()
    return [replace(call, question=name) for name in dict.fromkeys(named)]


def _check_documents(call: Call) -> None:
    """Refuse more articles than there are before anything is asked, which takes minutes."""
    from analysis import corpus

    if call.options["documents"]:
        corpus.sample(call.options["documents"], call.options["seed"])


def _made(
    keep: Path | None,
    again: bool,
    model: Callable[[], "Subject"],
    call: Call,
    progress: "Progress",
) -> Made:
    """Ask one question, unless its row is kept; what news say waits for the other rows.

    Raises:
        UserError: it cannot be put to the model.
    """
    from analysis import study
    from analysis.experiments.library.compute import run
    from analysis.experiments.library.measured import Library

    subject, experiment = model(), call.experiment
    given = call.inputs(subject)
    unread = replace(given, options={**given.options, "documents": 0})
    if keep is None:
        return Made(given, run(subject, unread, progress))
    folder = study.folder_of(results.writable(keep), subject, given.question)
    if again:
        results.discard(folder, experiment.name)
    if not study.is_current(subject, experiment, given, folder):
        study.bring_up_to_date(subject, experiment, unread, folder, lambda _: nullcontext(progress))
    return Made(given, results.load(folder, experiment.name, Library), folder)


def _on_news(call: Call, subject: "Subject", made: Sequence[Made]) -> list["Library"]:
    """All rows with what news say of them: one pass for those that lack it, which are kept."""
    from analysis.experiments.library.compute import read_in_news
    from analysis.running import now, provenance

    name = call.experiment.name
    rows = {id(each): each.row for each in made}
    waiting = [each for each in made if each.row.documents != each.given["documents"]]
    start = time.perf_counter()
    if waiting:
        with console.watched("news") as progress:
            read = read_in_news(subject, [(each.row, each.given) for each in waiting], progress)
        rows |= {id(each): row for each, row in zip(waiting, read, strict=True)}
    share = (time.perf_counter() - start) / max(1, len(waiting))
    for each in waiting:
        if each.folder is not None:
            seconds = round(results.provenance(each.folder, name).seconds + share, 2)
            origin = provenance(call.experiment, subject, each.given, now(), seconds)
            results.save(each.folder, name, rows[id(each)], origin)
    return list(rows.values())


def _line(made: Made) -> str:
    """A finished row in short."""
    row = made.row
    if not row.measured[0]:
        return f"the model does not tell these apart ({row.told_apart[0]} of {row.pairs[0]} pairs)"
    recovery, needed = row.recovery(0).mean, row.needed(0).size
    half = f"{needed:,}" if needed else f"more than {row.sizes[-1]:,}"
    return f"{row.best[0]} recovers {recovery:.2f} on other pairs; half takes {half}"
