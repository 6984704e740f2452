"""What the committed studies of a model answer: with the study's options, and with no model."""

from dataclasses import replace
from functools import lru_cache

from analysis.declaration import Experiment
from analysis.experiments import named
from space.answers import Answer, answer
from space.own import OWN
from space.story import Story, story
from space.view import View, parts


def known(experiment: Experiment, view: View) -> Answer | None:
    """The answer of a committed study to a view, if the study of its question was asked that.

    Args:
        experiment: which one.
        view: the question; where no neuron is named, the study's is meant.
    """
    study = story(view.model, view.question)
    if study is None or not study.evidence.has(experiment.name):
        return None
    own = view.neurons or not experiment.asks_about_a_neuron
    full = view if own else replace(view, neuron=study.evidence.neuron)
    if parts(full, experiment) != parts(_answered_view(study, view), experiment):
        return None
    return _answer(experiment.name, replace(full, tab=""))


@lru_cache(maxsize=64)
def _answer(name: str, view: View) -> Answer:
    """The study's answer, which it has: drawn once for all visitors."""
    experiment, study = named(name), story(view.model, view.question)
    assert study is not None
    made = study.evidence.provenance[name].inputs
    options = {o.name: made[o.name] for o in experiment.options if o.name in made}
    return answer(experiment, view, experiment.check(options), study.evidence.results[name])


def _answered_view(study: Story, view: View) -> View:
    """The view that asks what the study was asked."""
    question, neuron = study.evidence.question, study.evidence.neuron
    names = ("clean", "corrupted", "target", "foil")
    own: dict[str, str] = {name: getattr(question, name) for name in names}
    blank = dict.fromkeys((*OWN, "text"), "")
    return replace(view, question=question.name, neuron=neuron, **blank, **own)
