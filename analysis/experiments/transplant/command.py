"""The verb that copies a neuron: its model is called the donor."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from analysis import EMBEDDED
from analysis.calls import Call


def answer(
    call: Call,
    model: Annotated[
        str, typer.Option("--donor", "--model", help="The model that has the neuron.")
    ] = EMBEDDED,
) -> dict[str, Any]:
    """The layer, the fit, what was gained, what it costs, and the verdict."""
    call = replace(call, model=model)
    return call.summary(call.compute(call.load()))
