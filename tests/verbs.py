"""The command line of the experiments there are, made once for all tests that ask it."""

from functools import cache

import pytest
import typer

from analysis import command_line
from analysis.declaration import Experiment

make, get_command = command_line.make, cache(typer.main.get_command)
made: dict[tuple[int, ...], tuple[list[Experiment], typer.Typer]] = {}


def made_once(patch: pytest.MonkeyPatch) -> None:
    """To make the verbs takes longer than most of them: their own tests do so anew."""
    patch.setattr(command_line, "make", _made)
    patch.setattr(typer.main, "get_command", get_command)


def _made() -> typer.Typer:
    experiments = list(command_line.EXPERIMENTS)
    key = tuple(map(id, experiments))
    if key not in made:
        made[key] = experiments, make()
    return made[key][1]
