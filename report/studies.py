"""The studies in a folder of results."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analysis import results
from analysis.claims import Claims
from analysis.errors import UserError
from analysis.evidence import QUESTION, Evidence, check_current, load_evidence

MARK = f"{QUESTION}.json"
"""The file that every folder of a study has."""


@dataclass(frozen=True)
class Study:
    """One study.

    Attributes:
        path: its folder below the folder of all results, and its page's below the index.
        evidence: what it found.
        claims: what is said of it.
    """

    path: Path
    evidence: Evidence
    claims: Claims


def usual_results() -> Path:
    """The results in the folder that one works in, else those that come with the project."""
    return results.out() if any(_folders(results.out())) else results.COMMITTED


def read_studies(
    root: Path, model: str = "", question: str = "", stale: bool = False
) -> tuple[Study, ...]:
    """Every study of a folder of results.

    Args:
        root: the folder: in it one for each model, and in that one for each question.
        model: name of the only model wanted.
        question: name of the only question wanted.
        stale: whether to show results that other code computed.

    Raises:
        UserError: there is none, or one is damaged or stale.
    """
    only, found = {"model": model, "question": question}, []
    for folder in _folders(root):
        path = folder.relative_to(root)
        names = {"model": path.parent.as_posix(), "question": path.name}
        if all(wanted in ("", names[what]) for what, wanted in only.items()):
            evidence = evidence_of(folder, stale)
            found.append(Study(path, evidence, Claims(evidence)))
    if not found:
        which = "".join(f" of {name}" for name in only.values() if name)
        raise UserError(
            f"There is no study{which} in {root}, as MODEL/QUESTION below it: "
            "run `an-neuron study` first."
        )
    return tuple(found)


def evidence_of(folder: Path, stale: bool = False) -> Evidence:
    """A study, refused where other code than this computed it, unless ``stale`` allows it.

    Raises:
        UserError: results are missing, damaged or stale.
    """
    evidence = load_evidence(folder)
    if not stale:
        check_current(evidence)
    return evidence


def document(evidence: Evidence, name: str) -> dict[str, Any]:
    """What the result of one experiment says and where it came from, as JSON knows values."""
    result = evidence.results[name]
    summary = result.summary(**result.experiment().report)
    return {"provenance": asdict(evidence.provenance[name]), "summary": summary}


def table(
    studies: Sequence[Study],
) -> tuple[tuple[Study, ...], tuple[tuple[Study | None, ...], ...]]:
    """Studies as a table of questions by models.

    Returns:
        A study for each model that heads a column, and a row for each question.
    """
    models = {study.path.parent: study for study in studies}
    questions = dict.fromkeys(study.path.name for study in studies)
    at = {study.path: study for study in studies}
    rows = tuple(tuple(at.get(model / name) for model in models) for name in questions)
    return tuple(models.values()), rows


def _folders(root: Path) -> Iterator[Path]:
    """The folders of all studies, by name: ``MODEL/QUESTION`` below the folder of results."""
    found = (path.parent for path in sorted(root.rglob(MARK)))
    return (folder for folder in found if len(folder.relative_to(root).parts) > 1)
