"""The verb that goes from words to neurons."""

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
