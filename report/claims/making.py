"""How the numbers were made: the provenance of every result."""

from dataclasses import dataclass

from analysis.models import CATALOGUE
from report.claims.wording import number
from report.evidence import KINDS, Evidence

TITLES = {
    "next_token": ("Next token", "prompt"),
    "logit_lens": ("Logit lens", "lens"),
    "patching": ("Patching by layer and head", "patch"),
    "neuron_sweep": ("Every neuron, and held-out pairs", "sweep"),
    "direct_effect": ("Direct effect", "direct-effect"),
    "activations": ("Activations", "activations"),
}


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
    """Facts that all steps share, and a row for each step."""

    facts: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    total: str
    study: str


def making(evidence: Evidence) -> Making:
    """Collect the provenance."""
    told = evidence.provenance
    total = sum(step.seconds for step in told.values())
    return Making(
        facts=_facts(evidence),
        rows=tuple(
            Row(
                TITLES[name][0],
                command(evidence, name),
                number(told[name].seconds, 1),
                told[name].when,
                told[name].code,
            )
            for name in KINDS
        ),
        total=number(total, 1),
        study=f"python -m analysis study{_model_option(evidence)}",
    )


def command(evidence: Evidence, step: str) -> str:
    """The command line that computes one step."""
    return f"python -m analysis {TITLES[step][1]}{_model_option(evidence)}"


def _model_option(evidence: Evidence) -> str:
    model = evidence.origin.model
    return "" if model == CATALOGUE[0].name else f" --model {model}"


def _facts(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    steps = evidence.provenance.values()
    packages = sorted({f"{name} {version}" for s in steps for name, version in s.packages.items()})
    seeds = sorted({str(s.inputs.get("seed")) for s in steps})
    return (
        ("Model", evidence.origin.model),
        ("Source", evidence.origin.source),
        ("Revision", evidence.origin.revision),
        ("Weights as", ", ".join(sorted({s.dtype for s in steps}))),
        ("Device", ", ".join(sorted({s.device for s in steps}))),
        ("Packages", ", ".join(packages)),
        ("Seed", ", ".join(seeds)),
        ("Clean prompt", evidence.patching.clean),
        ("Corrupted prompt", evidence.patching.corrupted),
    )
