"""Runs the experiments that make the paper, and keeps their results current."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from analysis import results
from analysis.declaration import Experiment
from analysis.errors import UnsuitedError, UserError
from analysis.evidence import NEURON, QUESTION, REFUSED, is_in_other_study
from analysis.experiments import named, steps
from analysis.inputs import Inputs
from analysis.loading.models import entry_of
from analysis.progress import Progress, silent
from analysis.questions import Question
from analysis.running import compute, inputs, provenance
from analysis.subject import Subject
from analysis.workers import Each, here

RIVALS = 3
"""How many of the sweep's next-best neurons are looked at beside the best."""

Watch = Callable[[str], AbstractContextManager[Progress]]


def unwatched(_name: str) -> AbstractContextManager[Progress]:
    """Nobody watches the progress of any step."""
    return nullcontext(silent)


@dataclass(frozen=True)
class Done:
    """What happened to one step: computed, kept because nothing it rests on changed, or refused.

    ``refused`` is the sentence that says why it cannot be asked of this model; empty otherwise.
    """

    name: str
    seconds: float
    kept: bool
    refused: str = ""


def folder_of(root: Path, subject: Subject, question: Question) -> Path:
    """Where the results of a study are kept: ``results/<model>/<question>``."""
    return root / subject.origin.name / question.key


def run_study(
    subject: Subject,
    question: Question,
    folder: Path,
    seed: int = 0,
    watch: Watch = unwatched,
    others: Each | None = None,
) -> Iterator[Done]:
    """Bring every step's result in a folder up to date, in order; yields each as it is done.

    Steps that the question does not suit have no result: a bare pair has no other words. Nor have
    those that the study of the usual question beside it answers, and those that cannot be asked of
    the model: the folder keeps the sentence that says why.

    Args:
        subject: the model.
        question: the question; it needs a pair.
        folder: where results are kept.
        seed: of all random draws.
        watch: opens, by the name of a step, something that watches its progress.
        others: does the steps behind the sweep, which rest on that alone; by itself this process.

    Raises:
        UserError: the question cannot be put to the model, or the folder holds the study of another
            model of that name.
    """
    question.pair(subject)
    _check_model(subject, folder, NEURON)
    results.save_plain(folder, QUESTION, question.model_dump(mode="json"))
    mine = here(lambda: subject)
    work = partial(_step, question, folder, seed, watch)
    names = [step.name for step in steps()]
    cut = names.index(NEURON) + 1
    refused = {}
    for each, part in ((mine, names[:cut]), (others or mine, names[cut:])):
        for done in each(work, part):
            if done is None:
                continue
            if done.refused:
                refused[done.name] = done.refused
            yield done
    results.discard(folder, REFUSED)
    if refused:
        results.save_plain(folder, REFUSED, refused)


def _step(
    question: Question,
    folder: Path,
    seed: int,
    watch: Watch,
    load: Callable[[], Subject],
    name: str,
) -> Done | None:
    """One step of a study; None where it is not its to do.

    Raises:
        UserError: the question cannot be put to the model.
    """
    experiment = named(name)
    if is_in_other_study(folder, experiment):
        return None
    try:
        options = {**study_options(experiment, seed), **kept_size(experiment, folder)}
        given = step_inputs(experiment, load(), question, folder, options)
        if given is None:
            results.discard(folder, name)
            return None
        return bring_up_to_date(load(), experiment, given, folder, watch)
    except UnsuitedError as error:
        results.discard(folder, name)
        return Done(name, 0.0, kept=False, refused=str(error))


def step_inputs(
    experiment: Experiment,
    subject: Subject,
    question: Question,
    folder: Path,
    options: Mapping[str, object],
) -> Inputs | None:
    """What the study in a folder asks of an experiment, about the neurons that its sweep found.

    None where it does not suit question or model.

    Raises:
        UserError: the study has no sweep yet, or the question cannot be put to the model.
    """
    if not experiment.suits(question):
        return None
    neurons = _found(folder) if experiment.asks_about_a_neuron else []
    given = inputs(experiment, subject, question, neurons, options)
    applies = experiment.part("compute", "applies")
    return given if applies is None or applies(subject, given) else None


def study_options(experiment: Experiment, seed: int) -> dict[str, object]:
    """The options with which a study runs an experiment."""
    draws = any(option.name == "seed" for option in experiment.options)
    return {**(experiment.study or {}), **({"seed": seed} if draws else {})}


def kept_size(experiment: Experiment, folder: Path) -> dict[str, int]:
    """The option of how much is read, where what a folder keeps was read of more than is usual."""
    try:
        return experiment.larger(results.provenance(folder, experiment.name).inputs)
    except UserError:  # there is none, or it is damaged
        return {}


def _found(folder: Path) -> tuple[str, ...]:
    """The sweep's best neuron and those that come next."""
    sweep = named(NEURON)
    names: tuple[str, ...] = results.load(folder, NEURON, sweep.kind).candidates[: 1 + RIVALS]
    return names


def bring_up_to_date(
    subject: Subject,
    experiment: Experiment,
    given: Inputs,
    folder: Path,
    watch: Watch,
    name: str = "",
) -> Done:
    """Compute one step and keep it in the folder, unless what is kept there is what it would be.

    Args:
        subject: the model.
        experiment: which step.
        given: what it is asked.
        folder: of the study.
        watch: opens something that watches its progress.
        name: of the result in the folder; by itself the experiment's.

    Raises:
        UserError: the question cannot be put to the model, or another model of that name has its
            result there.
    """
    name = name or experiment.name
    _check_model(subject, folder, name)
    if is_current(subject, experiment, given, folder, name):
        return Done(name, 0.0, kept=True)
    with watch(name) as progress:
        result = compute(experiment, subject, given, progress)
    results.save(folder, name, result, result.provenance)
    return Done(name, result.provenance.seconds, kept=False)


def _check_model(subject: Subject, folder: Path, name: str) -> None:
    """Refuse to write over what another model of the same name was asked.

    Names of folders and files say nothing of what lies in them; those of the catalogue are one
    model's, of which a later version takes the place of an earlier one.
    """
    origin = subject.origin
    entry = entry_of(origin.name)
    if entry is not None and entry.source == origin.source:
        return
    try:
        kept = results.provenance(folder, name).revision
    except UserError:  # there is none, or it is damaged
        return
    if kept != origin.revision:
        raise UserError(
            f"{folder} holds what another model of the name {origin.name!r} was asked (checksum "
            f"{kept[:12]}, this one has {origin.revision[:12]}): keep this one's in another folder."
        )


def is_current(
    subject: Subject, experiment: Experiment, given: Inputs, folder: Path, name: str = ""
) -> bool:
    """Whether what is kept in the folder is what would be computed."""
    name = name or experiment.name
    try:
        results.load(folder, name, experiment.kind)
        made = results.provenance(folder, name)
    except UserError:
        return False
    return made.key == provenance(experiment, subject, given).key


def committed(experiment: Experiment, subject: Subject, given: Inputs) -> Any | None:
    """What the committed study of the question found, where it was asked the very same.

    The same weights and inputs, through the code as it stands; None where it was not.
    """
    folder = folder_of(results.COMMITTED, subject, given.question)
    if not results.exists(folder, experiment.name):
        return None
    expected = provenance(experiment, subject, given)
    result, made = _saved(folder, experiment.name)
    return result if made.question == expected.question else None


@cache
def _saved(folder: Path, name: str) -> tuple[Any, results.Provenance]:
    result: Any = results.load(folder, name, named(name).kind)
    return result, results.provenance(folder, name)
