"""The one way from a question to a Result, for study, command line, app and Python alike."""

import platform
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import Any

from analysis.declaration import Experiment
from analysis.errors import UnsuitedError, UserError
from analysis.experiments.neuron_sweep.compute import neuron_sweep
from analysis.inputs import Inputs
from analysis.loading.pinned import CORPUS
from analysis.neuron import Neuron, parse_neuron
from analysis.progress import Progress, silent
from analysis.questions import Question
from analysis.results import Provenance
from analysis.subject import Subject
from analysis.token_sets import members

PACKAGES = ("torch", "transformers", "transformer-lens", "tokenizers", "numpy")

SCREEN = 64
"""How many neurons are measured to find a model's own best one when none is named."""


def best_neuron(subject: Subject, question: Question) -> Neuron:
    """The best of a screened sweep over the question's pair.

    Raises:
        UserError: there is no pair, or its prompts do not differ in their answer.
    """
    return neuron_sweep(subject, question.pair(subject), screen=SCREEN).best


def inputs(
    experiment: Experiment,
    subject: Subject,
    question: Question,
    neurons: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    live: bool = False,
) -> Inputs:
    """Everything that an experiment is asked, checked.

    Args:
        experiment: which one.
        subject: the model, which knows which neurons there are.
        question: prompts, words, and what confirms.
        neurons: names of the neuron and its rivals; where none is named and one is needed, the
            best of a screened sweep.
        options: those that are not as usual.
        live: whether a visitor asks, whose bounds are tighter.

    Raises:
        UserError: the question lacks what the experiment needs, or something is not allowed.
    """
    check_suits(experiment, question)
    if not experiment.long:
        _check_next(experiment, subject, question)
    chosen = experiment.check(options or {}, live)
    found: list[Neuron] = []
    if experiment.asks_about_a_neuron:
        named = [parse_neuron(name, subject.n_layers, subject.d_mlp) for name in neurons]
        if not named and "neuron" in experiment.needs:
            named = [best_neuron(subject, question)]
        found = list(dict.fromkeys(named if "rivals" in experiment.needs else named[:1]))
    return Inputs(question, tuple(found), chosen)


def check_suits(experiment: Experiment, question: Question) -> None:
    """Refuse a question that lacks what the experiment needs.

    Raises:
        UserError: it has no words, or names no factors.
        UnsuitedError: it asks of a set of tokens, and the experiment can ask of single ones alone.
    """
    if experiment.single and any(len(members(w)) > 1 for w in (question.target, question.foil)):
        raise UnsuitedError(
            f"{experiment.title} takes one target token and one foil token: {experiment.single}."
        )
    if "words" in experiment.needs and not question.has_words:
        raise UserError(
            f"There are no groups of words for {question.target[:40]!r} against "
            f"{question.foil[:40]!r}: give a sentence with {{}} in it and two lists of words, as a "
            "question of the library or a file has them."
        )
    if "crossed" in experiment.needs and question.crossed is None:
        raise UserError(
            f"No factors are named for {question.target[:40]!r} against {question.foil[:40]!r}: "
            "give a question whose file has them, under [crossed], with --question."
        )


def _check_next(experiment: Experiment, subject: Subject, question: Question) -> None:
    """Refuse words of several tokens, whose second one no reading of the next token knows.

    Raises:
        UserError: a word is none that can be asked for.
        UnsuitedError: one is several tokens long.
    """
    words = (question.target, question.foil)
    if any(len(members(each)) == 1 and len(subject.pieces(each)) > 1 for each in words):
        question.contrast(subject).check_next(f"{experiment.title!r}")


def compute(
    experiment: Experiment, subject: Subject, given: Inputs, progress: Progress = silent
) -> Any:
    """The Result, which knows where it came from.

    Raises:
        UserError: the question cannot be put to the model.
    """
    start = time.perf_counter()
    result = experiment.run(subject, given, progress)
    seconds = round(time.perf_counter() - start, 2)
    return signed(result, provenance(experiment, subject, given, now(), seconds))


def now() -> str:
    """UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def signed(result: Any, made: Provenance) -> Any:
    """The same Result, which knows where it came from."""
    object.__setattr__(result, "provenance", made)  # frozen, and no field: it is not compared
    return result


def provenance(
    experiment: Experiment, subject: Subject, given: Inputs, when: str = "", seconds: float = 0.0
) -> Provenance:
    """Where a Result comes from; without time and duration, before it is computed."""
    return Provenance(
        experiment=experiment.name,
        model=subject.origin.name,
        source=subject.origin.source,
        revision=subject.origin.revision,
        inputs={**record(experiment, given), "prepend_bos": subject.prepend_bos},
        packages=dict(_versions()),
        device=f"{subject.device.type}, {platform.machine()}",
        dtype=subject.arithmetic.name,
        code=experiment.code,
        when=when,
        seconds=seconds,
    )


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    return tuple((name, version(name)) for name in PACKAGES)


def record(experiment: Experiment, given: Inputs) -> dict[str, Any]:
    """All that a Result depends on beside model and code, in plain values."""
    question, needs = given.question, experiment.needs
    recorded: dict[str, Any] = {
        "clean": question.clean,
        "corrupted": question.corrupted,
        "target": question.target,
        "foil": question.foil,
        **experiment.computed(given.options),
    }
    if given.neurons:
        recorded["neuron"] = str(given.neuron)
        recorded["rivals"] = [str(neuron) for neuron in given.neurons[1:]]
    if "natural" in needs:
        recorded["natural"] = [[each.text, each.calls_for] for each in question.natural]
    if "held_out" in needs:
        recorded["template"] = question.template
        recorded["words"] = [list(question.target_words), list(question.foil_words)]
        if question.pairs:
            recorded["written_pairs"] = [
                list(each.model_dump().values()) for each in question.pairs
            ]
    if "words" in needs:
        recorded["templates"] = [question.template, *question.held_out_templates]
        recorded["target_words"] = list(question.target_words)
        recorded["foil_words"] = list(question.foil_words)
    if "crossed" in needs and question.crossed is not None:
        recorded["crossed"] = question.crossed.model_dump(mode="json")
        recorded["words"] = [list(question.target_words), list(question.foil_words)]
    if "corpus" in needs:
        recorded["corpus"] = CORPUS.sha256
    return recorded
