"""How the numbers were made: the provenance of every result."""

from dataclasses import dataclass

from analysis import EMBEDDED
from analysis.answer import command_line
from analysis.commands import experiment_command, question_options
from analysis.declaration import Experiment
from analysis.evidence import Evidence


@dataclass(frozen=True)
class Making:
    """What the steps of a study were made with.

    Attributes:
        study: the command of the study.
        seconds: of the steps that this command makes.
        longer: titles of the steps that take longer and are made by commands of their own.
        dtypes: in which weights were held.
        devices: on which the steps ran.
        packages: with their versions.
        seeds: of the random draws.
    """

    study: str
    seconds: float
    longer: tuple[str, ...]
    dtypes: list[str]
    devices: list[str]
    packages: list[str]
    seeds: list[str]


def making(evidence: Evidence) -> Making:
    """Collect the provenance."""
    made = evidence.provenance
    longer = [e for e in evidence.experiments if e.apart or e.larger(made[e.name].inputs)]
    return Making(
        study=study_command(evidence),
        seconds=sum(made[each.name].seconds for each in evidence.experiments if each not in longer),
        longer=tuple(each.title for each in longer),
        dtypes=sorted({step.dtype for step in made.values()}),
        devices=sorted({step.device for step in made.values()}),
        packages=sorted({f"{n} {v}" for step in made.values() for n, v in step.packages.items()}),
        seeds=sorted({str(s.inputs["seed"]) for s in made.values() if "seed" in s.inputs}),
    )


def command(evidence: Evidence, experiment: Experiment) -> str:
    """The command line that computes the very Result of one experiment."""
    made = evidence.provenance[experiment.name].inputs
    options = {o.name: made[o.name] for o in experiment.options if not o.shows and o.name in made}
    neurons = [made["neuron"], *made.get("rivals", ())] if "neuron" in made else []
    return experiment_command(experiment, evidence.question, neurons, options, **_loading(evidence))


def command_here(evidence: Evidence, experiment: Experiment) -> str:
    """The command line that would ask the study's question of an experiment it has no Result of."""
    neurons = [evidence.neuron]
    return experiment_command(experiment, evidence.question, neurons, {}, **_loading(evidence))


def study_command(evidence: Evidence) -> str:
    """The command line that makes the whole study."""
    seeds = {made.inputs["seed"] for made in evidence.provenance.values() if "seed" in made.inputs}
    seed = max(seeds, default=0) or None
    return command_line(
        "study", **question_options(evidence.question), **_loading(evidence), seed=seed
    )


def _loading(evidence: Evidence) -> dict[str, str | None]:
    """The options that load the model."""
    origin = evidence.origin
    return {
        "model": None if origin.model == EMBEDDED else origin.model,
        "dtype": None if origin.dtype == "float32" else origin.dtype,
    }
