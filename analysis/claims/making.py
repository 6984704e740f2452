"""How the numbers were made: the provenance of every result."""

from collections.abc import Mapping
from dataclasses import dataclass

from analysis import EMBEDDED
from analysis.answer import command_line
from analysis.claims.wording import number
from analysis.evidence import Evidence
from analysis.figures import FIGURES

TITLES = {
    "next_token": "Next token",
    "logit_lens": "Logit lens",
    "patching": "Patching by layer and head",
    "neuron_sweep": "Every neuron, and held-out pairs",
    "direct_effect": "Direct effect",
    "activations": "Activations",
    "corpus_scan": "Corpus scan",
    "upstream": "Upstream",
    "composition": "Direct and indirect effect",
    "ablation": "Ablation",
    "intervention": "One activation exchanged",
    "weight_modulation": "Weight modulation",
    "generality": "Other words and sentences",
    "census": "Every neuron against every token",
    "comparison": "Other models",
    "verification": "The original's published numbers",
}

STUDY = "study"
STEP_VERBS: Mapping[str, str] = {
    "logit_lens": "lens",
    "patching": "patch",
    "neuron_sweep": "sweep",
    "direct_effect": "direct-effect",
    "corpus_scan": "scan",
    "upstream": "upstream",
    "composition": "composition",
    "ablation": "ablate",
    "intervention": "intervene",
    "weight_modulation": "modulate",
    "generality": "generality",
    "census": "census",
    "verification": "verify",
}
"""The verb that computes a whole step; the other steps ask about texts that only a study adds."""

FIGURE_VERBS: Mapping[str, str] = {
    "next_token": "prompt",
    "heads": "patch --component z",
}
"""The verb that computes what a figure shows, where it is not its step's."""

NO_NEURON = (STUDY, "prompt", "lens", "patch", "patch --component z", "sweep", "verify")
"""Verbs that ask about no neuron."""

NO_DRAWS = (
    "prompt", "lens", "patch", "patch --component z", "upstream", "composition", "verify"
)  # fmt: skip
"""Verbs that draw nothing at random."""


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
                TITLES[name],
                command(evidence, STEP_VERBS.get(name, STUDY)),
                number(told[name].seconds, 1),
                told[name].when,
                told[name].code,
            )
            for name in told
        ),
        total=number(total, 1),
        study=command(evidence, STUDY),
    )


def figure_command(evidence: Evidence, figure: str) -> str:
    """The command line that computes what a figure shows."""
    verb = STEP_VERBS.get(FIGURES[figure].step, STUDY)
    return command(evidence, FIGURE_VERBS.get(figure, verb))


def command(evidence: Evidence, verb: str) -> str:
    """A verb with the options that this study needs, quoted for a shell."""
    origin, rivals = evidence.origin, evidence.corpus_scan.neurons[1:]
    return command_line(
        verb,
        neuron=None if verb in NO_NEURON else evidence.neuron,
        rivals=",".join(rivals) if verb == "scan" and rivals else None,
        model=None if origin.model == EMBEDDED else origin.model,
        dtype=None if origin.dtype == "float32" else origin.dtype,
        seed=None if verb in NO_DRAWS else origin.inputs.get("seed") or None,
    )


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
