"""Studies built by hand, small, whose claims are true or false as a test needs them.

Each result is made by a module named as its experiment.
"""

import dataclasses
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np

from analysis import results
from analysis.declaration import Experiment
from analysis.evidence import QUESTION, REFUSED, Evidence
from analysis.experiments import EXPERIMENTS, named
from analysis.result import Result
from analysis.results import Provenance
from analysis.running import PACKAGES
from tests.synthetic.plan import (
    BEST,
    HOSTILE,
    VOCABULARY,
    Plan,
    asked,
    hostile_plan,
    question,
    toy_plan,
)

__all__ = [
    "BEST",
    "HOSTILE",
    "VOCABULARY",
    "Plan",
    "changed",
    "evidence",
    "hostile_plan",
    "save",
    "save_study",
    "toy_plan",
    "with_result",
]


@cache
def evidence(plan: Plan) -> Evidence:
    """A study as the report loads it; made once for all tests, so that none may change it."""
    modules = {each.name: f"tests.synthetic.{each.name}" for each in EXPERIMENTS}
    parts = {
        name: getattr(importlib.import_module(module), name)(plan)
        for name, module in modules.items()
        if importlib.util.find_spec(module)
    }
    for result in parts.values():
        for value in vars(result).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
    return Evidence(
        question=asked(plan),
        results=parts,
        provenance={name: _provenance(plan, named(name)) for name in parts},
    )


def save(plan: Plan, root: Path) -> Path:
    """Write a study below a folder, as ``an-neuron study`` does; returns the study's own folder."""
    return save_study(evidence(plan), root)


def save_study(study: Evidence, root: Path) -> Path:
    """Write a study under a folder of results; returns its own folder."""
    folder = root / study.origin.model / study.question.key
    results.save_plain(folder, QUESTION, study.question.model_dump(mode="json"))
    for name, result in study.results.items():
        results.save(folder, name, result, study.provenance[name])
    if study.refused:
        results.save_plain(folder, REFUSED, study.refused)
    return folder


def _provenance(plan: Plan, experiment: Experiment) -> Provenance:
    usual = experiment.check(experiment.study or {})
    about = {"neuron": plan.neurons[0], "rivals": list(plan.neurons[1:])}
    return Provenance(
        experiment=experiment.name,
        model=plan.model,
        source=plan.source,
        revision="0" * 64,
        inputs={
            **question(plan),
            **experiment.computed(usual),
            **(about if experiment.asks_about_a_neuron else {}),
        },
        packages={PACKAGES[-1]: "2.0"},
        device="cpu, x86_64",
        dtype="float32",
        code=_code(experiment.name),
        when="2026-01-01T00:00:00+00:00",
        seconds=1.5,
    )


@cache
def _code(name: str) -> str:
    """The checksum of an experiment's code as it stands."""
    return named(name).code


def with_result(study: Evidence, result: Result) -> Evidence:
    """The same study with the result of one more experiment."""
    experiment = result.experiment()
    made = dataclasses.replace(
        study.origin, experiment=experiment.name, code=_code(experiment.name)
    )
    return dataclasses.replace(
        study,
        results={**study.results, experiment.name: result},
        provenance={**study.provenance, experiment.name: made},
    )


def changed(study: Evidence, step: str, **fields: object) -> Evidence:
    """The same study with some fields of one result replaced."""
    part = dataclasses.replace(study.results[step], **fields)
    return dataclasses.replace(study, results={**study.results, step: part})
