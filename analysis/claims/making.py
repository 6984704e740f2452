"""How the numbers were made: the provenance of every result."""

from dataclasses import dataclass

from analysis import EMBEDDED
from analysis.answer import command_line
from analysis.commands import experiment_command, question_options
from analysis.declaration import Experiment
from analysis.evidence import Evidence
from analysis.wording import number


@dataclass(frozen=True)
class Row:
    """One step: its title, its command, how long it took, when, and the checksum of its code."""

    title: str
    command: str
    seconds: str
    when: str
    code: str


@dataclass(frozen=True)
class Making:
    """Facts that all steps share, and a row for each step.

    Attributes:
        facts: name and value.
        rows: of the steps.
        total: seconds of those that the study's command makes.
        study: that command.
        longer: titles of the steps that take longer and are made by commands of their own.
    """

    facts: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    total: str
    study: str
    longer: tuple[str, ...]


def making(evidence: Evidence) -> Making:
    """Collect the provenance."""
    made = evidence.provenance
    longer = [e for e in evidence.experiments if e.apart or e.larger(made[e.name].inputs)]
    total = sum(made[each.name].seconds for each in evidence.experiments if each not in longer)
    return Making(
        facts=_facts(evidence),
        rows=tuple(
            Row(
                each.title,
                command(evidence, each),
                number(made[each.name].seconds, 1),
                made[each.name].when,
                made[each.name].code,
            )
            for each in evidence.experiments
        ),
        total=number(total, 1),
        study=study_command(evidence),
        longer=tuple(each.title for each in longer),
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


def _facts(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    steps = evidence.provenance.values()
    packages = sorted({f"{name} {version}" for s in steps for name, version in s.packages.items()})
    seeds = sorted({str(s.inputs["seed"]) for s in steps if "seed" in s.inputs})
    return (
        ("Model", evidence.origin.model),
        ("Source", evidence.origin.source),
        ("Revision", evidence.origin.revision),
        ("Weights as", ", ".join(sorted({s.dtype for s in steps}))),
        ("Device", ", ".join(sorted({s.device for s in steps}))),
        ("Packages", ", ".join(packages)),
        ("Seed", ", ".join(seeds)),
        ("Clean prompt", evidence.question.clean),
        ("Corrupted prompt", evidence.question.corrupted),
    )
