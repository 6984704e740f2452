"""The files that a study becomes, each with the results and the command that it rests on."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis import claims
from analysis.answer import as_csv
from analysis.beside import beside
from analysis.claims.making import command, study_command
from analysis.declaration import Experiment
from analysis.evidence import Evidence
from analysis.tables import Table
from report import images
from report.artifacts import latex
from report.artifacts.notes import note
from report.artifacts.references import CITATION, as_bibtex
from report.artifacts.writing import as_latex
from report.panels import plots
from report.studies import document

BIBLIOGRAPHY = "an-neuron.bib"
NUMBERS = "results.json"


@dataclass(frozen=True)
class Artifact:
    """One file.

    Attributes:
        path: where it stands in the folder.
        content: its bytes.
        steps: the results that it is made of.
        command: the command line that computes its numbers.
    """

    path: str
    content: bytes
    steps: tuple[str, ...]
    command: str


def figures(evidence: Evidence, browser: Path) -> Iterator[Artifact]:
    """Every figure in every format, in reading order.

    Raises:
        UserError: the browser cannot draw.
    """
    made = {figure.name: experiment for experiment, figure in claims.figures(evidence)}
    for file, content in images.draw(plots(evidence), browser).items():
        name = file.partition(".")[0]
        shown = command(evidence, made[name])
        yield Artifact(f"figures/{file}", content, (made[name].name,), shown)


def tables(evidence: Evidence) -> Iterator[Artifact]:
    """Every table as CSV and as LaTeX; one without rows is left out."""
    about = _about(evidence)
    for experiment in evidence.experiments:
        for table in printed(experiment):
            rows = table.rows(evidence.results[experiment.name])
            texts = {"csv": as_csv(rows), "tex": as_latex(table, rows, about)} if rows else {}
            for ending, text in texts.items():
                path = f"tables/{table.name}.{ending}"
                made = command(evidence, experiment)
                yield Artifact(path, text.encode(), (experiment.name,), made)


def printed(experiment: Experiment) -> tuple[Table, ...]:
    """The tables that an experiment has for a paper."""
    found: tuple[Table, ...] | None = experiment.part("tables", "TABLES")
    return found or ()


def _about(evidence: Evidence) -> str:
    """Model, neuron and words of the study, as LaTeX."""
    words = evidence.question
    return note(
        "about",
        model=latex.prose(evidence.origin.model),
        neuron=latex.prose(evidence.neuron),
        target=latex.token(words.target),
        foil=latex.token(words.foil),
    )


def numbers(evidence: Evidence, inputs: Mapping[str, Mapping[str, str]]) -> Artifact:
    """All results in plain values, with where they came from.

    Args:
        evidence: the study.
        inputs: for each step, the files it was read from and their checksums.
    """
    shown = {step: {"files": inputs[step], **document(evidence, step)} for step in inputs}
    return Artifact(NUMBERS, as_json(shown), tuple(inputs), study_command(evidence))


def bibliography() -> Iterator[Artifact]:
    """BibTeX entries for this software and the original study; they hold no numbers."""
    citation = beside(CITATION)
    if citation:
        text = as_bibtex(citation.read_text(encoding="utf-8"))
        yield Artifact(BIBLIOGRAPHY, text.encode(), (), "")


def as_json(document: object) -> bytes:
    """A document as JSON, one value a line."""
    return (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
