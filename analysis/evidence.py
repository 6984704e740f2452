"""Everything the page may say something about: one study's results and where they came from."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis import results
from analysis.declaration import Experiment, Figure
from analysis.errors import UserError
from analysis.experiments import EXPERIMENTS, named, studied
from analysis.questions import DEFAULT, Question
from analysis.results import Provenance

QUESTION = "question"
"""Name of the file that holds what a study asks."""

REFUSED = "refused"
"""Name of the file that says which experiments cannot be asked of the model, and why."""

NEURON = "neuron_sweep"
"""The step that finds the neuron which all later ones are about."""


@dataclass(frozen=True)
class Evidence:
    """The results of one study of one model, by the names of their experiments.

    A result is an attribute, too: ``evidence.neuron_sweep``.

    Attributes:
        question: what was asked.
        results: of every experiment that the question suits.
        provenance: where each came from.
        refused: the experiments that cannot be asked of the model, each with the sentence why.
        in_other_study: those that the study of the usual question answered for this one, too.
    """

    question: Question
    results: Mapping[str, Any]
    provenance: Mapping[str, Provenance]
    refused: Mapping[str, str] = field(default_factory=dict)
    in_other_study: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        """The result of an experiment.

        Raises:
            AttributeError: the study has none.
        """
        try:
            return self.__dict__["results"][name]
        except KeyError:
            raise AttributeError(f"this study has no {name}") from None

    def has(self, *names: str) -> bool:
        """Whether the study has all of these results."""
        return all(name in self.results for name in names)

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """Those that the study has a result of, in the order of the argument."""
        return tuple(each for each in EXPERIMENTS if each.name in self.results)

    @property
    def wanted(self) -> tuple[Experiment, ...]:
        """The same with those that cannot be asked of the model, or were asked in another study."""
        known = {*self.results, *self.refused, *self.in_other_study}
        return tuple(each for each in EXPERIMENTS if each.name in known)

    @property
    def figures(self) -> tuple[tuple[Experiment, Figure], ...]:
        """Every figure of the study with its experiment, in reading order."""
        return tuple((e, f) for e in self.experiments for f in e.shows(self.question))

    @property
    def origin(self) -> Provenance:
        """Where the first step came from; the model is the same for all."""
        return next(iter(self.provenance.values()))

    @property
    def neuron(self) -> str:
        """Name of the neuron the page is about."""
        return str(self.results[NEURON].candidates[0])


def load_evidence(folder: Path) -> Evidence:
    """Read a study from its folder.

    Raises:
        UserError: a result is missing or damaged, or the results are not of one study.
    """
    question = load_question(folder)
    refused = results.load_plain(folder, REFUSED) if results.exists(folder, REFUSED) else {}
    others = tuple(each.name for each in studied() if is_in_other_study(folder, each))
    present = [
        each
        for each in studied()
        if results.exists(folder, each.name)
        or (is_expected(each, question) and each.name not in {*refused, *others})
    ]
    loaded: dict[str, Any] = {each.name: _load(folder, each) for each in present}
    made = {each.name: results.provenance(folder, each.name) for each in present}
    evidence = Evidence(question, loaded, made, refused, others)
    _check_one_study(folder, evidence)
    return evidence


def _load(folder: Path, experiment: Experiment) -> Any:
    """A result, joined with those of other models, or beside it, where the experiment joins them.

    Only those count that the same code computed of the same question.
    """
    own: Any = results.load(folder, experiment.name, experiment.kind)
    join = experiment.part("compute", "joined")
    if join is None:
        return own
    others = [*_of_other_models(folder, experiment), *_beside(folder, experiment)]
    return join(own, [results.load(home, name, experiment.kind) for home, name in others])


def _of_other_models(folder: Path, experiment: Experiment) -> Iterator[tuple[Path, str]]:
    """Where results lie that were asked the same of another model."""
    own = _inputs(results.provenance(folder, experiment.name))
    for other in sorted(folder.parent.parent.glob(f"*/{folder.name}")):
        exists = other != folder and results.exists(other, experiment.name)
        if exists and _inputs(results.provenance(other, experiment.name)) == own:
            yield other, experiment.name


def _beside(folder: Path, experiment: Experiment) -> Iterator[tuple[Path, str]]:
    """Where those lie that differ in nothing but options in which they may."""
    options = set(experiment.beside)
    own = results.provenance(folder, experiment.name)
    for path in sorted(folder.glob(f"{experiment.name}.*.json")):
        made = results.provenance(folder, path.stem)
        same = _inputs(made, options) == _inputs(own, options)
        if same and (made.model, made.revision) == (own.model, own.revision):
            yield folder, path.stem


def _inputs(made: Provenance, but: Set[str] = frozenset()) -> tuple[object, ...]:
    """What was asked, and by what code: all but the model, what is its own, and some options."""
    left_out = {"prepend_bos", *but}
    return made.code, {key: value for key, value in made.inputs.items() if key not in left_out}


def load_question(folder: Path) -> Question:
    """What a study asks.

    Raises:
        UserError: its file is missing or damaged.
    """
    try:
        return Question(**results.load_plain(folder, QUESTION))
    except UserError as error:
        wrong = str(error).removeprefix("This is no question: ")
        if wrong == str(error):
            raise
        raise UserError(
            f"{folder / QUESTION}.json: {wrong} Delete it and run `an-neuron study` again."
        ) from error


def is_in_other_study(folder: Path, experiment: Experiment) -> bool:
    """Whether the study of the usual question answers an experiment for the one in a folder, too.

    A result that the folder has of its own counts for more.
    """
    usual = folder.parent / DEFAULT
    known = experiment.once and usual != folder and results.exists(usual, experiment.name)
    return known and not results.exists(folder, experiment.name)


def is_expected(experiment: Experiment, question: Question) -> bool:
    """Whether every study of the question has the experiment.

    Some are of a certain model only, and some are kept by a command of their own.
    """
    some = experiment.apart or experiment.part("compute", "applies") is not None
    return experiment.suits(question) and not some


def check_current(evidence: Evidence) -> None:
    """Refuse results that another state of the code computed, lest a page tell what it would not.

    Raises:
        UserError: there are some.
    """
    old = [
        each.name
        for each in evidence.experiments
        if evidence.provenance[each.name].code != each.code
    ]
    if old:
        again = {"study" if each.study is not None else each.verb for each in map(named, old)}
        raise UserError(
            f"The results of {', '.join(old)} were computed by other code than this: run "
            f"{' and '.join(f'`an-neuron {verb}`' for verb in sorted(again))} again, or give "
            "--stale to show them all the same."
        )


def _check_one_study(folder: Path, evidence: Evidence) -> None:
    for name, made in evidence.provenance.items():
        if _question_of(made) != _question_of(evidence.origin):
            raise UserError(_mixed(folder, f"{name} and the others differ in model or question"))
        about = made.inputs.get("neuron", evidence.neuron)
        if about != evidence.neuron:
            why = f"the sweep found {evidence.neuron}, {name} asks about {about}"
            raise UserError(_mixed(folder, why))


def _question_of(made: Provenance) -> tuple[object, ...]:
    question = (made.inputs.get(key) for key in ("clean", "corrupted", "target", "foil"))
    return (made.model, made.revision, *question)


def _mixed(folder: Path, why: str) -> str:
    return f"The results in {folder} are not of one study ({why}): run `an-neuron study` again."
