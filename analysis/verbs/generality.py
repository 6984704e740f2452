"""The verb that asks whether a neuron answers to other words and in other sentences."""

from analysis import console
from analysis.asked import Asked, takes
from analysis.errors import UserError
from analysis.verbs.app import NeuronName, Seed, app


@app.command()
@takes(Asked)
def generality(
    asked: Asked,
    neuron: NeuronName = None,
    seed: Seed = 0,
) -> None:
    """Does a neuron tell other words apart, and in other sentences?"""
    from analysis.experiments.generality import generality, summary
    from analysis.question import FOIL, TARGET
    from analysis.sentences import SENTENCES, tree_words

    if (asked.target, asked.foil) != (TARGET, FOIL):
        raise UserError(
            f"There are lists of words for {TARGET!r} against {FOIL!r} only, not for "
            f"{asked.target[:40]!r} against {asked.foil[:40]!r}: leave --target and --foil out."
        )
    subject = asked.load()
    chosen, contrast = asked.neuron(subject, neuron)
    with console.watched("generality") as progress:
        result = generality(subject, chosen, contrast, SENTENCES, tree_words(), seed, progress)
    console.emit(summary(result), asked.as_json)
