"""The files that a study becomes, each with the results and the command that it rests on."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis.answer import as_csv
from analysis.claims.making import STEP_VERBS, STUDY, command, figure_command
from analysis.evidence import Evidence
from analysis.figures import FIGURES
from report import images
from report.artifacts import latex
from report.artifacts.references import CITATION, as_bibtex
from report.artifacts.tables import TABLES
from report.artifacts.writing import as_latex
from report.summaries import document, summary

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
    plotted = {name: d.draw(getattr(evidence, d.step)) for name, d in FIGURES.items()}
    for file, content in images.draw(plotted, browser).items():
        name = file.partition(".")[0]
        made = figure_command(evidence, name)
        yield Artifact(f"figures/{file}", content, (FIGURES[name].step,), made)


def tables(evidence: Evidence) -> Iterator[Artifact]:
    """Every table as CSV and as LaTeX, of the steps that the study has."""
    about = _about(evidence)
    for name, table in TABLES.items():
        if table.step not in evidence.provenance:
            continue
        rows = table.rows((getattr if table.whole else summary)(evidence, table.step))
        made = command(evidence, STEP_VERBS.get(table.step, STUDY))
        for ending, text in (("csv", as_csv(rows)), ("tex", as_latex(name, table, rows, about))):
            yield Artifact(f"tables/{name}.{ending}", text.encode(), (table.step,), made)


def _about(evidence: Evidence) -> str:
    """Model, neuron and words of the study, as LaTeX."""
    words = evidence.direct_effect
    return (
        f"Model {latex.prose(evidence.origin.model)}, neuron {latex.prose(evidence.neuron)}, "
        f"target {latex.token(words.target)}, foil {latex.token(words.foil)}."
    )


def numbers(evidence: Evidence, inputs: Mapping[str, Mapping[str, str]]) -> Artifact:
    """All results in plain values, with where they came from.

    Args:
        evidence: the study.
        inputs: for each step, the files it was read from and their checksums.
    """
    told = {step: {"files": inputs[step], **document(evidence, step)} for step in inputs}
    return Artifact(NUMBERS, as_json(told), tuple(inputs), command(evidence, STUDY))


def bibliography() -> Artifact:
    """BibTeX entries for this software and the original study; they hold no numbers."""
    text = as_bibtex(CITATION.read_text(encoding="utf-8"))
    return Artifact(BIBLIOGRAPHY, text.encode(), (), "")


def as_json(document: object) -> bytes:
    """A document as JSON, one value a line."""
    return (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
