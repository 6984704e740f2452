"""Verbs that ask which neuron it is, what it writes and when it is active."""

from typing import Annotated, Literal

import typer

from analysis import console
from analysis.asked import Asked, takes
from analysis.verbs.app import HeldOut, NeuronName, Seed, app


@app.command()
@takes(Asked)
def sweep(
    asked: Asked,
    top: Annotated[int, typer.Option(min=1, help="How many neurons to print.")] = 20,
    positions: Annotated[
        Literal["last", "all"], typer.Option(help="Patch the last position, or all.")
    ] = "last",
    screen: Annotated[
        int, typer.Option(min=0, help="Measure only the K best by attribution; 0 measures all.")
    ] = 0,
    held_out: HeldOut = 20,
    seed: Seed = 0,
) -> None:
    """How much of the difference does each neuron alone recover?"""
    from analysis.experiments.neuron_sweep import neuron_sweep, summary
    from analysis.question import held_out_pairs

    subject = asked.load()
    pair = asked.pair(subject)
    others = held_out_pairs(subject, pair, held_out)
    with console.watched("sweep") as progress:
        result = neuron_sweep(subject, pair, others, positions, screen, seed, progress)
    console.emit(summary(result, top), asked.as_json)


@app.command()
@takes(Asked)
def direct_effect(
    asked: Asked,
    neuron: NeuronName = None,
    seed: Seed = 0,
) -> None:
    """Which tokens does a neuron write, whatever the prompt?"""
    from analysis.experiments.direct_effect import direct_effect, summary

    subject = asked.load()
    chosen, contrast = asked.neuron(subject, neuron)
    console.emit(summary(direct_effect(subject, chosen, contrast, seed)), asked.as_json)


@app.command()
@takes(Asked)
def activations(
    asked: Asked,
    neuron: NeuronName = None,
    text: Annotated[str | None, typer.Option(help="Any text; else the clean prompt.")] = None,
) -> None:
    """On which tokens of a text is a neuron active?"""
    from analysis.experiments.activations import activations, summary
    from analysis.question import CLEAN, make_prompt

    subject = asked.load()
    read = make_prompt(
        subject, next(t for t in (text, asked.clean, CLEAN) if t is not None), "text"
    )
    chosen, contrast = asked.neuron(subject, neuron)
    console.emit(summary(activations(subject, chosen, contrast, [read])), asked.as_json)
