"""Studies built by hand, small, whose claims are true or false as a test needs them."""

import dataclasses
from functools import cache
from pathlib import Path

from analysis import results
from analysis.evidence import KINDS, Evidence
from analysis.results import Provenance
from analysis.steps import STEPS
from analysis.study import step_version
from tests.synthetic import census, composition, first_parts, upstream
from tests.synthetic.ablation import ablation
from tests.synthetic.comparison import comparison
from tests.synthetic.corpus_scan import corpus_scan
from tests.synthetic.first_parts import VOCABULARY
from tests.synthetic.generality import generality
from tests.synthetic.intervention import intervention
from tests.synthetic.plan import BEST, HOSTILE, Plan, hostile_plan, question, toy_plan
from tests.synthetic.weight_modulation import weight_modulation

__all__ = [
    "BEST",
    "HOSTILE",
    "PARTS",
    "VOCABULARY",
    "Plan",
    "changed",
    "evidence",
    "hostile_plan",
    "save",
    "toy_plan",
]

PARTS = (
    first_parts.next_token,
    first_parts.logit_lens,
    first_parts.patching,
    first_parts.neuron_sweep,
    first_parts.direct_effect,
    first_parts.activations,
    corpus_scan,
    upstream.upstream,
    composition.composition,
    ablation,
    intervention,
    weight_modulation,
    generality,
    census.census,
    comparison,
)
"""What makes each result of a synthetic study, named as its step."""


def evidence(plan: Plan) -> Evidence:
    """A study as the report loads it."""
    parts = {part.__name__: part(plan) for part in PARTS}
    return Evidence(**parts, provenance={name: _provenance(plan, name) for name in KINDS})


def save(plan: Plan, folder: Path) -> Path:
    """Write a study to disk, as ``python -m analysis study`` does."""
    study = evidence(plan)
    for name in KINDS:
        results.save(folder, name, getattr(study, name), study.provenance[name])
    return folder


def _provenance(plan: Plan, name: str) -> Provenance:
    return Provenance(
        experiment=name,
        model=plan.model,
        source=plan.source,
        revision="0" * 64,
        inputs={**question(plan), "seed": 0},
        packages={"numpy": "2.0"},
        device="cpu, x86_64",
        dtype="float32",
        code=_code(name),
        when="2026-01-01T00:00:00+00:00",
        seconds=1.5,
    )


@cache
def _code(name: str) -> str:
    """The checksum of a step's code as it stands."""
    (step,) = (step for step in STEPS if step.name == name)
    return step_version(step)


def changed(study: Evidence, step: str, **fields: object) -> Evidence:
    """The same study with some fields of one result replaced."""
    part = dataclasses.replace(getattr(study, step), **fields)
    return dataclasses.replace(study, **{step: part})
