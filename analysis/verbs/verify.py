"""The verb that computes the original study's published numbers anew."""

from typing import Any

import typer

from analysis import console
from analysis.asked import Chosen, takes
from analysis.verbs.app import app

SHORT = 80
"""A reader sees every number of a group up to so many; of longer ones, those that deviate."""


@app.command()
@takes(Chosen)
def verify(chosen: Chosen) -> None:
    """Do the original study's published numbers come out here? For its own model, gpt2-large."""
    from analysis.loading.models import entry_of
    from analysis.original import published
    from analysis.original.verification import summary, verification

    told, entry = published.document(), entry_of(chosen.model)
    if entry and not published.describes(told, entry.layers, entry.d_model, entry.d_mlp):
        return _nothing(chosen, entry.name, told)
    subject = chosen.load()
    if not published.about(told, subject):
        return _nothing(chosen, subject.origin.name, told)
    with console.watched("verify") as progress:
        document = summary(verification(subject, told, progress))
    console.emit(document if chosen.as_json else _tables(document), chosen.as_json)
    if not document["agree"]:
        raise typer.Exit(1)
    return None


def _nothing(chosen: Chosen, name: str, told: Any) -> None:
    """Say that there is nothing to compare with."""
    model = told["model"]["name"]
    note = f"Nothing is published to verify for {name}: the original study's numbers are {model}'s."
    if chosen.as_json:
        console.emit({"model": name, "published": False, "note": note}, as_json=True)
    else:
        print(note)


def _tables(document: dict[str, Any]) -> dict[str, Any]:
    """The groups, the numbers of the short ones, and every number that deviates."""
    short = {row["group"] for row in document["groups"] if row["numbers"] <= SHORT}
    numbers = document.pop("numbers")
    deviating = [row for row in numbers if row["verdict"] == "deviates"]
    shown = [row for row in numbers if row["group"] in short or row in deviating]
    return {**document, "numbers": shown}
