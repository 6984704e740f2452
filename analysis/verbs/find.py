"""Verbs that go from words to neurons."""

from typing import Annotated

import typer

from analysis import console
from analysis.asked import SCREEN, Asked, takes
from analysis.verbs.app import Seed, app


@app.command()
@takes(Asked)
def find(
    asked: Asked,
    screen: Annotated[
        int, typer.Option(min=0, help="Patch only the K best by attribution; 0 patches all.")
    ] = SCREEN,
    seed: Seed = 0,
) -> None:
    """Which neurons write the target rather than the foil, and which carry it here?"""
    from analysis.finding import find, summary

    subject = asked.load()
    with console.watched("find") as progress:
        found = find(subject, asked.pair(subject), screen, seed, progress)
    console.emit(summary(found), asked.as_json)


@app.command()
@takes(Asked)
def writers(
    asked: Asked,
    alone: Annotated[
        bool, typer.Option("--alone", help="Weigh the target against all tokens, not the foil.")
    ] = False,
    top: Annotated[int, typer.Option(min=1, help="How many neurons to print.")] = 20,
) -> None:
    """Which neurons write a token most, by their output weights alone?"""
    from analysis.question import make_contrast
    from analysis.weights.writers import summary, writers_of

    subject = asked.load()
    contrast = make_contrast(subject, asked.target, asked.foil)
    console.emit(summary(writers_of(subject, contrast, top, alone)), asked.as_json)
