"""The verb that counts every neuron against every token."""

from typing import Annotated

import typer

from analysis import console
from analysis.asked import Asked, takes
from analysis.verbs.app import NeuronName, Seed, app

WINDOW = 128


@app.command()
@takes(Asked)
def census(
    asked: Asked,
    token: Annotated[
        str | None, typer.Option(help="The token whose neurons are listed, else the target.")
    ] = None,
    neuron: NeuronName = None,
    top: Annotated[int, typer.Option(min=1, help="How many pairs to print.")] = 20,
    behaviour: Annotated[
        bool, typer.Option(help="Compare the neurons with what the model predicts on news.")
    ] = True,
    tokens: Annotated[int, typer.Option(min=1, help="How many tokens of news, about.")] = 8192,
    seed: Seed = 0,
) -> None:
    """Which neuron writes which word, over all neurons and tokens, and does it matter?"""
    from analysis import corpus
    from analysis.experiments.census import census, summary
    from analysis.neuron import parse_neuron
    from analysis.question import make_contrast
    from analysis.weights.agreement import draw_windows

    subject = asked.load()
    contrast = make_contrast(subject, asked.target if token is None else token, asked.foil)
    chosen = neuron and parse_neuron(neuron, subject.n_layers, subject.d_mlp)
    texts = []
    if behaviour:
        documents = corpus.sample(max(1, tokens // WINDOW), seed)
        texts = draw_windows(subject, documents, min(tokens, WINDOW), seed)
    with console.watched("census") as progress:
        result = census(subject, contrast, texts, chosen or None, seed, progress)
    console.emit(summary(result, top), asked.as_json)
