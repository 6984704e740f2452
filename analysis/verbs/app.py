"""The application that verbs register with, and the options that several of them share."""

from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

NeuronName = Annotated[
    str | None, typer.Option("--neuron", help="Such as L25N1527; else the model's own best.")
]
HeldOut = Annotated[
    int, typer.Option(min=0, help="How many other pairs confirm it, at most; 0 for none.")
]
Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Of all random draws.")]
