"""The verb that asks how a neuron's effect reaches the logits."""

from typing import Annotated

import typer

from analysis import console
from analysis.asked import Asked, takes
from analysis.verbs.app import HeldOut, NeuronName, app


@app.command()
@takes(Asked)
def composition(
    asked: Asked,
    neuron: NeuronName = None,
    top: Annotated[int, typer.Option(min=1, help="How many later neurons to print.")] = 20,
    held_out: HeldOut = 20,
) -> None:
    """How much of a neuron's effect is direct, and what do later components add or cancel?"""
    from analysis.experiments.composition import composition, summary
    from analysis.question import held_out_pairs

    subject = asked.load()
    pair = asked.pair(subject)
    chosen, _ = asked.neuron(subject, neuron)
    with console.watched("composition") as progress:
        others = held_out_pairs(subject, pair, held_out)
        result = composition(subject, chosen, pair, others, progress=progress)
    console.emit(summary(result, top), asked.as_json)
