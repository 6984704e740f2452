"""What every claim of a study rests on: its sample, its test, and how many hold at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from analysis.declaration import Experiment
from analysis.grounds import Ground
from analysis.study_facts import StudyFacts


@dataclass(frozen=True)
class Methods:
    """The claims of one experiment, as they are called, each with its ground."""

    experiment: Experiment
    claims: tuple[tuple[Markup, Ground], ...]


def methods(study: StudyFacts, said_of: Callable[[str], Any]) -> Iterator[Methods]:
    """Of the experiments that have any, the claims that the study has, in the argument's order."""
    for each in study.evidence.experiments:
        grounds = each.part("facts", "grounds")
        if grounds is None:
            continue
        facts, said = getattr(study.of, each.name), said_of(each.name)
        found = grounds(facts, study.evidence.results[each.name])
        claims = tuple((getattr(said, f"ground_{ground.claim}"), ground) for ground in found)
        if claims:
            yield Methods(each, claims)
