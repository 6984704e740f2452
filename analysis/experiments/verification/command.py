"""The verb that computes the original study's published numbers anew."""

from typing import Any

import typer

from analysis import console
from analysis.calls import Call

SHORT = 80
"""A reader sees every number of a group up to so many; of longer ones, those that deviate."""


def answer(call: Call) -> dict[str, Any]:
    """The verdict; exit code 1 where a number deviates."""
    from analysis.loading.models import entry_of
    from analysis.original import published

    original, entry = published.document(), entry_of(call.model)
    if entry and not published.describes(original, entry.layers, entry.d_model, entry.d_mlp):
        return _nothing(call, entry.name, original)
    subject = call.load()
    if not published.about(original, subject):
        return _nothing(call, subject.origin.name, original)
    document = call.summary(call.compute(subject))
    if not document["agree"]:
        console.emit(document if call.as_json else _tables(document), call.as_json)
        raise typer.Exit(1)
    return document if call.as_json else _tables(document)


def _nothing(call: Call, name: str, original: Any) -> dict[str, Any]:
    """Say that there is nothing to compare with; a reader gets the sentence alone."""
    model = original["model"]["name"]
    note = f"Nothing is published to verify for {name}: the original study's numbers are {model}'s."
    return {"model": name, "published": False, "note": note} if call.as_json else {"note": note}


def _tables(document: dict[str, Any]) -> dict[str, Any]:
    """The groups, the numbers of the short ones, and every number that deviates."""
    short = {row["group"] for row in document["groups"] if row["numbers"] <= SHORT}
    numbers = document.pop("numbers")
    deviating = [row for row in numbers if row["verdict"] == "deviates"]
    shown = [row for row in numbers if row["group"] in short or row in deviating]
    return {**document, "numbers": shown}
