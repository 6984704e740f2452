"""What the committed studies of a model answer: with the study's options, and with no model."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from analysis.declaration import Experiment
from analysis.experiments import named
from space.answers import Answer, answer
from space.controls import at_first, settable, written
from space.story import Story, story
from space.view import OWN, View, pair_of, parts


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
    options = experiment.check({o.name: made[o.name] for o in experiment.options if o.name in made})
    found = answer(experiment, view, options, study.evidence.results[name])
    return replace(found, hints=_asked_with(experiment, options))


def _asked_with(experiment: Experiment, options: Mapping[str, Any]) -> tuple[str, ...]:
    """What the study was asked with, where the controls beside its answer say something else."""
    others = [
        f"“{option.live.label}” at {written(option, options[option.name]).partition(':')[0]}"
        for option in settable(experiment)
        if option.live and options[option.name] != at_first(experiment, option)
    ]
    if not others:
        return ()
    return (
        f"The committed study answers, with {' and '.join(others)}; the button asks with what "
        "stands here.",
    )


def _answered_view(study: Story, view: View) -> View:
    """The view that asks what the study was asked."""
    question, neuron = study.evidence.question, study.evidence.neuron
    blank = dict.fromkeys((*OWN, "text"), "")
    return replace(view, question=question.name, neuron=neuron, **blank, **pair_of(question))
