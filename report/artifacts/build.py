"""One study's results to one folder of figures, tables, numbers and references."""

import json
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import UserError
from analysis.evidence import Evidence
from report.artifacts import contents
from report.artifacts.contents import Artifact
from report.artifacts.manifest import MANIFEST, MARK, checksums, manifest
from report.folders import check_replaceable, replacing
from report.images import find_browser
from report.studies import evidence_of


@dataclass(frozen=True)
class Written:
    """What was written: the manifest's path, how many files beside it, and why no figures."""

    manifest: Path
    files: int
    why_not: str


def build(results_folder: Path, out: Path, stale: bool = False) -> Written:
    """Write everything that a paper takes from one study.

    Without a browser there are no figures, and the manifest names them as left out.

    Args:
        results_folder: the study's results, ``results/<model>/<question>``.
        out: the folder to write; earlier artifacts there are replaced, whole or not at all.
        stale: whether to take results that other code computed.

    Raises:
        UserError: results are missing, damaged or stale, or ``out`` holds something else.
    """
    out = out.resolve()
    check_replaceable(out, _is_build, "a folder of earlier artifacts")
    evidence = evidence_of(results_folder, stale)
    inputs = checksums(results_folder, evidence.results)
    drawn, why_not = _figures(evidence)
    texts = (*contents.tables(evidence), contents.numbers(evidence, inputs))
    artifacts = [*drawn, *texts, *contents.bibliography()]
    document = contents.as_json(manifest(evidence, inputs, artifacts, why_not))
    with replacing(out) as scratch:
        for artifact in artifacts:
            _write(scratch / artifact.path, artifact.content)
        _write(scratch / MANIFEST, document)
    return Written(out / MANIFEST, len(artifacts), why_not)


def _figures(evidence: Evidence) -> tuple[list[Artifact], str]:
    """The figures, or why there are none."""
    try:
        return list(contents.figures(evidence, find_browser())), ""
    except UserError as error:
        return [], str(error)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def _is_build(folder: Path) -> bool:
    try:
        document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get("generator") == MARK
