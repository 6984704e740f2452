"""The verb that takes a neuron away."""

from typing import Annotated, Literal

import typer

from analysis import console
from analysis.asked import Asked, takes
from analysis.verbs.app import NeuronName, Seed, app

TEXTS_A_WINDOW = 5
"""Articles drawn for each window of a kind: not every one holds the target."""


@app.command()
@takes(Asked)
def ablate(
    asked: Asked,
    neuron: NeuronName = None,
    positions: Annotated[
        Literal["last", "all"], typer.Option(help="Change prompts at the last position, or all.")
    ] = "last",
    draws: Annotated[
        int, typer.Option(min=2, max=10_000, help="Resample draws for each prompt.")
    ] = 32,
    matched: Annotated[
        int, typer.Option(min=0, max=1000, help="Neurons of the layer to compare with.")
    ] = 50,
    windows: Annotated[
        int, typer.Option(min=2, max=700, help="Corpus windows before the target, and others.")
    ] = 80,
    seed: Seed = 0,
) -> None:
    """What is lost when a neuron's activation is taken away?"""
    from analysis import corpus
    from analysis.experiments.ablation import Sizes, ablation, summary, tables
    from analysis.prompt_set import word_set

    subject = asked.load()
    prompts, contrast = asked.prompts(subject)
    chosen, _ = asked.neuron(subject, neuron)
    sizes = Sizes(draws=draws, matched=matched, windows=windows)
    texts = corpus.sample(TEXTS_A_WINDOW * windows, seed)
    with console.watched("ablate") as progress:
        result = ablation(
            subject,
            chosen,
            contrast,
            prompts[0],
            word_set(subject, contrast, prompts),
            texts,
            seed,
            positions,
            sizes,
            progress,
        )
    console.emit(summary(result) if asked.as_json else tables(result), asked.as_json)
