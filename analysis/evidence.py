"""Everything the page may say something about: one study's results and where they came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import results
from analysis.errors import UserError
from analysis.experiments.ablation import Ablation
from analysis.experiments.activations import Activations
from analysis.experiments.census import Census
from analysis.experiments.comparison import Comparison
from analysis.experiments.composition import Composition
from analysis.experiments.corpus_scan import CorpusScan
from analysis.experiments.direct_effect import DirectEffect
from analysis.experiments.generality import Generality
from analysis.experiments.intervention import Intervention
from analysis.experiments.logit_lens import LogitLens
from analysis.experiments.neuron_sweep import NeuronSweep
from analysis.experiments.next_token import NextToken
from analysis.experiments.patching import Patching
from analysis.experiments.upstream import Upstream
from analysis.experiments.weight_modulation import WeightModulation
from analysis.original.verification import Verification
from analysis.results import Provenance
from analysis.steps import EXTRA_STEPS, STEPS
from analysis.study import step_version

KINDS: Mapping[str, type] = {
    "next_token": NextToken,
    "logit_lens": LogitLens,
    "patching": Patching,
    "neuron_sweep": NeuronSweep,
    "direct_effect": DirectEffect,
    "activations": Activations,
    "corpus_scan": CorpusScan,
    "upstream": Upstream,
    "composition": Composition,
    "ablation": Ablation,
    "intervention": Intervention,
    "weight_modulation": WeightModulation,
    "generality": Generality,
    "census": Census,
    "comparison": Comparison,
}
"""The steps the page is made of, in the order of its argument."""

EXTRA: Mapping[str, type] = {"verification": Verification}
"""Steps that some studies have: published numbers, where there are any for the model."""


@dataclass(frozen=True)
class Evidence:
    """The results of one study of one model, and the provenance of each by name of its step."""

    next_token: NextToken
    logit_lens: LogitLens
    patching: Patching
    neuron_sweep: NeuronSweep
    direct_effect: DirectEffect
    activations: Activations
    corpus_scan: CorpusScan
    upstream: Upstream
    composition: Composition
    ablation: Ablation
    intervention: Intervention
    weight_modulation: WeightModulation
    generality: Generality
    census: Census
    comparison: Comparison
    provenance: Mapping[str, Provenance]
    verification: Verification | None = None

    @property
    def origin(self) -> Provenance:
        """Where the first step came from; the model is the same for all."""
        return self.provenance["next_token"]

    @property
    def neuron(self) -> str:
        """Name of the neuron the page is about."""
        return self.direct_effect.neuron


def load_evidence(folder: Path) -> Evidence:
    """Read a study from its folder.

    Raises:
        UserError: a result is missing or damaged, or the results are not of one study.
    """
    kinds = {**KINDS, **{n: kind for n, kind in EXTRA.items() if results.there(folder, n)}}
    loaded: dict[str, Any] = {
        name: results.load(folder, name, kind) for name, kind in kinds.items()
    }
    told = {name: results.provenance(folder, name) for name in kinds}
    evidence = Evidence(**loaded, provenance=told)
    _check_one_study(folder, evidence)
    return evidence


def check_current(evidence: Evidence) -> None:
    """Refuse results that another state of the code computed, lest a page tell what it would not.

    Raises:
        UserError: there are some.
    """
    told = evidence.provenance
    steps = [step for step in (*STEPS, *EXTRA_STEPS) if step.name in told]
    old = [step.name for step in steps if told[step.name].code != step_version(step)]
    if old:
        raise UserError(
            f"The results of {', '.join(old)} were computed by other code than this: run `python "
            "-m analysis study` again, or give --stale to show them all the same."
        )


def _check_one_study(folder: Path, evidence: Evidence) -> None:
    for name, told in evidence.provenance.items():
        if _asked(told) != _asked(evidence.origin):
            raise UserError(_mixed(folder, f"{name} and next_token differ in model or question"))
    best = evidence.neuron_sweep.candidates[0]
    for name in KINDS:
        asked = getattr(getattr(evidence, name), "neuron", best)
        if asked != best:
            raise UserError(_mixed(folder, f"the sweep found {best}, {name} asks about {asked}"))
    if evidence.corpus_scan.neurons[0] != best:
        raise UserError(_mixed(folder, f"the sweep found {best}, the scan asks about another"))


def _asked(told: Provenance) -> tuple[object, ...]:
    question = (told.inputs.get(key) for key in ("clean", "corrupted", "target", "foil"))
    return (told.model, told.revision, *question)


def _mixed(folder: Path, why: str) -> str:
    return (
        f"The results in {folder} are not of one study ({why}): "
        "run `python -m analysis study` again."
    )
