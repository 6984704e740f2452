"""The verb that exchanges one neuron's activation at the end of one prompt."""

from typing import Annotated

import typer

from analysis import console
from analysis.asked import Asked, takes
from analysis.verbs.app import NeuronName, Seed, app


@app.command()
@takes(Asked)
def intervene(
    asked: Asked,
    neuron: NeuronName = None,
    factor: Annotated[
        float, typer.Option(help="What the last setting multiplies the activation by.")
    ] = 2.0,
    length: Annotated[int, typer.Option(min=0, max=200, help="Tokens to write on.")] = 12,
    seed: Seed = 0,
) -> None:
    """What does the model answer, and write on, with a neuron's activation exchanged?"""
    from analysis import corpus
    from analysis.engines.elsewhere import TEXTS, neuron_elsewhere
    from analysis.experiments.intervention import check_factor, intervention, summary, tables

    check_factor(factor)
    subject = asked.load()
    prompts, contrast = asked.prompts(subject)
    chosen, _ = asked.neuron(subject, neuron)
    others = neuron_elsewhere(subject, chosen, corpus.sample(TEXTS, seed))
    with console.watched("intervene") as progress:
        result = intervention(
            subject, chosen, contrast, prompts[0], others, factor, seed, length=length,
            progress=progress,
        )  # fmt: skip
    console.emit(summary(result) if asked.as_json else tables(result), asked.as_json)
