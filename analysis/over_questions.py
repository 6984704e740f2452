"""What is kept over questions: a row beside each of their studies, read and joined to one table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import results
from analysis.declaration import Experiment
from analysis.errors import UserError
from analysis.experiments import named
from analysis.questions import library

TABLE = "library"
"""The experiment that asks many questions."""


@dataclass(frozen=True)
class Kept:
    """One model's table.

    Attributes:
        experiment: which one.
        result: its rows, joined.
        made: where the first row came from; all others differ in their question only.
    """

    experiment: Experiment
    result: Any
    made: results.Provenance


def kept(folder: Path, stale: bool = False) -> Kept | None:
    """The table of a model, out of the folder that has one for each question; None without a row.

    Rows of questions that were typed, or turned into chat, are none of the library's.

    Args:
        folder: of the model's results.
        stale: whether rows may be joined that other code than this computed.

    Raises:
        UserError: a row is damaged or stale, or they were not made alike.
    """
    experiment = named(TABLE)
    homes = [folder / name for name in library() if results.exists(folder / name, TABLE)]
    if not homes:
        return None
    made = [results.provenance(home, TABLE) for home in homes]
    _check_alike(folder, experiment, made, stale)
    rows: list[Any] = [results.load(home, TABLE, experiment.kind) for home in homes]
    return Kept(experiment, experiment.module("compute").together(rows, {}), made[0])


def _check_alike(
    folder: Path, experiment: Experiment, made: list[results.Provenance], stale: bool
) -> None:
    """Refuse rows of other code, or of different options or weights."""
    again = f"run `an-neuron {experiment.verb} --model {folder.name} --keep {folder.parent}`"
    if not stale and any(m.code != experiment.code for m in made):
        raise UserError(f"Rows of {folder} over questions were computed by other code: {again}.")
    names = [option.name for option in experiment.options]
    if len({(m.revision, *map(m.inputs.get, names)) for m in made}) > 1:
        raise UserError(f"Rows of {folder} over questions differ in their options: {again}.")
