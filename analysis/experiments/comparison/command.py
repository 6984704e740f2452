"""The verb that puts one question to several models."""

import math
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis import EMBEDDED, console
from analysis.calls import Call
from analysis.errors import UserError
from analysis.progress import Progress, part_of
from analysis.workers import Address, Engine, Workers, ray_of
from analysis.workers import engine as workplace

if TYPE_CHECKING:
    from analysis.experiments.comparison.measured import Comparison

TABLES = {
    "models": ("name", "source", "layers", "d_model", "d_mlp", "n_neurons", "measured"),
    "answers_on_the_pair": ("name", "p_target", "logit_diff"),
    "answers_on_all_pairs": (
        *("name", "pairs", "preferred", "heard", "pair_p_target", "pair_logit_diff"),
    ),
    "best_neuron": ("name", "neuron", "depth", "recovery", "held_out", "held_out_interval", "next"),
    "what_it_writes": ("name", "target_rank", "rank_by_target", "rank_by_difference", "activation"),
    "coming_of_the_target_on_the_corpus": ("name", "tokens", "followed", "active", "foreseen"),
    "told_by_the_neuron": ("name", "precision", "precision_interval", "recall", "recall_interval"),
    "told_by_the_model": (
        *("name", "model_precision", "model_precision_interval"),
        *("model_recall", "model_recall_interval"),
    ),
}
"""How the one wide table is cut for a reader."""


def answer(
    call: Call,
    model: Annotated[str, typer.Option(help="The first model to ask.")] = "",
    models: Annotated[
        list[str] | None, typer.Argument(help="Names that `models` lists, folders, .gguf files.")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="Folder of results: rows kept there are not made again, new ones are."),
    ] = None,
    engine: Engine = "local",
    workers: Workers = None,
    ray_address: Address = None,
) -> dict[str, Any]:
    """One row a model, told as it is finished, and who is missing."""
    from analysis.experiments.comparison.compute import summary, together

    names = _names([model] if model else [], models or [])
    calls = {name: replace(call, model=name) for name in names}
    ray = ray_of(engine, workers, ray_address)
    with workplace(call.load, call.device, ray, console.note) as each:
        rows, missing = console.one_by_one(each, partial(_row, keep), calls, _line, ray is None)
    if not rows:
        raise UserError(_nothing(missing))
    document = summary(together(rows, missing))
    return document if call.as_json else _tables(document)


def _names(own: list[str], others: list[str]) -> list[str]:
    """All models asked for, each once, that of --model first; the embedded one if none is named."""
    from analysis.loading.models import entry_of

    found: dict[str, str] = {}
    for name in [*own, *others] or [EMBEDDED]:
        entry = entry_of(name)
        key = entry.name if entry else _resolved(name)
        if key in found:
            console.note(f"note: {name} is named twice and asked once.")
        found.setdefault(key, name)
    return list(found.values())


def _resolved(name: str) -> str:
    """The path in full, so that two ways to write it are one; any other text as it is."""
    try:
        return str(Path(name).expanduser().resolve())
    except (OSError, RuntimeError, ValueError):
        return name


def _row(keep: Path | None, _model: object, call: Call, progress: Progress) -> "Comparison":
    """Load one model and ask it, unless its row is kept; it is let go on return.

    Raises:
        UserError: it cannot be had, or the question cannot be put to it.
    """
    from analysis import results, study
    from analysis.experiments.comparison.compute import row
    from analysis.experiments.comparison.measured import Comparison

    subject = call.load()
    given, rest = call.inputs(subject), part_of(progress, 0.05, 1.0)
    if keep is None:
        return row(subject, given, rest)
    folder = study.folder_of(results.writable(keep), subject, given.question)
    study.bring_up_to_date(subject, call.experiment, given, folder, lambda _: nullcontext(rest))
    return results.load(folder, call.experiment.name, Comparison)


def _line(row: "Comparison") -> str:
    """A finished row in short."""
    best, chosen, held_out = row.neurons[0][0], row.recovery[0, 0], row.held_out[0, 0]
    elsewhere = f", on held-out pairs {held_out:.2f}" if math.isfinite(held_out) else ""
    return f"{best} recovers {chosen:.2f}{elsewhere}"


def _nothing(missing: dict[str, str]) -> str:
    """Why no model at all could be asked."""
    if len(missing) == 1:
        return next(iter(missing.values()))
    reasons = " ".join(f"{name}: {reason}" for name, reason in missing.items())
    return f"None of these models can be asked. {reasons}"


def _tables(document: dict[str, Any]) -> dict[str, Any]:
    """The rows cut into tables that fit a screen, and the missing models."""
    rows, missing = document.pop("models"), document.pop("missing")
    for row in rows:
        row["next"] = [f"{other['neuron']} {other['recovery']:.3g}" for other in row["next"][:2]]
    tables = {
        title: [{column.replace("_", " "): row[column] for column in columns} for row in rows]
        for title, columns in TABLES.items()
    }
    return {**document, **tables, "missing": missing}
