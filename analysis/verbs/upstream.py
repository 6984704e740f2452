"""The verb that asks what makes a neuron active."""

from analysis import console
from analysis.asked import Asked, takes
from analysis.verbs.app import HeldOut, NeuronName, app


@app.command()
@takes(Asked)
def upstream(asked: Asked, neuron: NeuronName = None, held_out: HeldOut = 20) -> None:
    """Where does a neuron's pre-activation come from?"""
    from analysis.experiments.upstream import summary, upstream
    from analysis.question import held_out_pairs

    subject = asked.load()
    pair = asked.pair(subject)
    chosen, _ = asked.neuron(subject, neuron)
    with console.watched("upstream") as progress:
        others = held_out_pairs(subject, pair, held_out)
        result = upstream(subject, chosen, pair, others, progress)
    console.emit(summary(result), asked.as_json)
