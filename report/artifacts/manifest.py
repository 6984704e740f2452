"""The manifest: what each artifact is, what it was made of, and how to make it again."""

import hashlib
import shlex
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from analysis import EMBEDDED, claims, questions
from analysis.evidence import Evidence
from analysis.loading.assets import sha256
from report.artifacts.contents import Artifact
from report.artifacts.notes import note
from report.images import DPI, FONT, PIXELS, WIDTH

MANIFEST = "manifest.json"
MARK = "an-neuron artifacts"


def checksums(folder: Path, steps: Iterable[str]) -> dict[str, dict[str, str]]:
    """For each step of a study, its files and their sha256."""
    files = {step: (f"{step}.json", f"{step}.npz") for step in steps}
    return {step: {f: sha256(folder / f) for f in names} for step, names in files.items()}


def manifest(
    evidence: Evidence,
    inputs: Mapping[str, Mapping[str, str]],
    artifacts: Iterable[Artifact],
    why_not: str,
) -> dict[str, Any]:
    """Describe a folder of artifacts.

    Args:
        evidence: the study.
        inputs: for each step, its files and their checksums.
        artifacts: what was written.
        why_not: why there are no figures, empty where there are.
    """
    missing = [figure.name for _, figure in claims.figures(evidence)] if why_not else []
    return {
        "generator": MARK,
        "command": _command(evidence),
        "model": evidence.origin.model,
        "question": evidence.question.key,
        "neuron": evidence.neuron,
        "reproducible": note("reproducible"),
        "notation": note("notation"),
        "figures": {"inches_wide": WIDTH / PIXELS, "png_dpi": DPI, "fonts": FONT},
        "packages": {name: _version(name) for name in ("plotly", "kaleido")},
        "inputs": inputs,
        "files": [_entry(artifact) for artifact in artifacts],
        "left_out": [{"figure": name, "why": why_not} for name in missing],
    }


def _command(evidence: Evidence) -> str:
    words = ["python", "-m", "report.artifacts"]
    if evidence.origin.model != EMBEDDED:
        words += ["--model", evidence.origin.model]
    if evidence.question.key != questions.DEFAULT:
        words += ["--question", evidence.question.key]
    return shlex.join(words)


def _entry(artifact: Artifact) -> dict[str, Any]:
    return {
        "file": artifact.path,
        "sha256": hashlib.sha256(artifact.content).hexdigest(),
        "command": artifact.command or None,
        "inputs": [f"{step}.{ending}" for step in artifact.steps for ending in ("json", "npz")],
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
