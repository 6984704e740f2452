"""What every claim of a study rests on: its sample, its test, and how many hold at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from analysis.declaration import Experiment
from analysis.grounds import Ground, grounds
from analysis.study_facts import StudyFacts


@dataclass(frozen=True)
class Method:
    """One claim of an experiment, as it is called, and its ground."""

    experiment: Experiment
    claim: Markup
    ground: Ground


def methods(study: StudyFacts, sections: Mapping[str, Any]) -> Iterator[Method]:
    """The claims that the study has, in the order of the argument."""
    for each in study.evidence.experiments:
        facts = getattr(study.of, each.name) if each.has("facts") else None
        for ground in grounds(each, facts, study.evidence.results[each.name]):
            claim = getattr(sections[each.name], f"ground_{ground.claim}")
            yield Method(each, claim, ground)
