"""The verb that scales a neuron's weights and watches answer, loss and text."""

from typing import Annotated

import typer

from analysis import console
from analysis.asked import Asked, takes
from analysis.verbs.app import NeuronName, Seed, app


@app.command()
@takes(Asked)
def modulate(
    asked: Asked,
    neuron: NeuronName = None,
    length: Annotated[int, typer.Option(min=1, max=200, help="Tokens to write on.")] = 12,
    texts: Annotated[int, typer.Option(min=2, help="News texts to measure the loss on.")] = 20,
    seed: Seed = 0,
) -> None:
    """What does the model answer and write with a neuron's weights scaled, or flipped?"""
    from analysis import corpus
    from analysis.experiments.weight_modulation import TEXT_TOKENS, summary, weight_modulation
    from analysis.question import excerpt, make_prompt

    subject = asked.load()
    prompts, _ = asked.prompts(subject)
    chosen, contrast = asked.neuron(subject, neuron)
    drawn = [excerpt(subject, text, TEXT_TOKENS) for _, text in corpus.sample(texts, seed)]
    read = [make_prompt(subject, text) for text in drawn]
    with console.watched("modulate") as progress:
        result = weight_modulation(subject, chosen, contrast, prompts, read, seed, length, progress)
    console.emit(summary(result), asked.as_json)
