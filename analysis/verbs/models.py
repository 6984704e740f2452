"""The verb that lists models."""

from typing import Annotated

import typer

from analysis import console
from analysis.asked import AsJson
from analysis.verbs.app import app


@app.command()
def models(
    as_json: AsJson = False,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the embedded model and corpus first.")
    ] = False,
) -> None:
    """List the models, and which of them can be loaded right now."""
    from analysis.loading.models import describe, fetch_embedded

    if fetch:
        fetch_embedded()
    console.emit({"models": describe()}, as_json)
