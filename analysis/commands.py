"""The command line that asks the same as a study, an answer of the app, or a figure."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis import questions
from analysis.answer import command_line
from analysis.declaration import Experiment
from analysis.questions import Question
from analysis.token_sets import members


def reads_prompts(experiment: Experiment, *words: str) -> bool:
    """Whether an answer may depend on the prompts.

    It does where the experiment needs them, and where one of the words is a set: after the clean
    prompt its tokens are weighed.
    """
    needed = bool({"prompts", "pair"} & {*experiment.needs})
    return needed or any(len(members(word)) > 1 for word in words)


def experiment_command(
    experiment: Experiment,
    question: Question,
    neurons: Sequence[str],
    options: Mapping[str, Any],
    **loading: Any,
) -> str:
    """The command that computes the very same Result; what is usual is left out.

    Args:
        experiment: which one.
        question: what is asked.
        neurons: names of the neuron and its rivals.
        options: its own options, all or some.
        loading: options that load the model, None where as usual.
    """
    usual = {option.name: option.default for option in experiment.options}
    own = {name: value for name, value in options.items() if value != usual[name]}
    named: dict[str, str | None] = {}
    if neurons and experiment.asks_about_a_neuron:
        named["neuron"] = neurons[0]
    if neurons[1:] and "rivals" in experiment.needs:
        named["rivals"] = ",".join(neurons[1:])
    given = question_options(question)
    if not reads_prompts(experiment, question.target, question.foil):
        given = {name: value for name, value in given.items() if name not in ("clean", "corrupted")}
    return command_line(experiment.verb, **given, **named, **loading, **own)


def question_options(question: Question) -> dict[str, str | None]:
    """The options that ask a question: its name, or its prompts and words where they are not usual.

    A question that was read from a file is named by it.
    """
    if question.name:
        return {} if question.name == questions.DEFAULT else {"question": question.source}
    kin = _kin(question)
    words = {"target": question.target, "foil": question.foil}
    same = words == {"target": kin.target, "foil": kin.foil}
    named = None if kin.name == questions.DEFAULT else kin.name
    prompts = {"clean": question.clean, "corrupted": question.corrupted or None}
    return {"question": named, **prompts, **({} if same else words)}


def _kin(question: Question) -> Question:
    """The question of the library whose other words go with these prompts, else the default one."""
    library = map(questions.load, questions.library())
    kept = (each for each in library if each.has_words and _words(each) == _words(question))
    return next(kept, questions.default())


def _words(question: Question) -> tuple[object, ...]:
    parts = (
        "target",
        "foil",
        "template",
        "target_words",
        "foil_words",
        "held_out_templates",
        "pairs",
    )
    return tuple(getattr(question, part) for part in parts)
