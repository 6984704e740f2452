"""The first lines of the page: is there such a neuron at all, when does it fire, what limits it?"""

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from analysis.sentences import Sentences, story
from analysis.study_facts import StudyFacts


def _joined(sentences: Iterable[Markup]) -> Markup:
    """A heading and its sentence as one; what is empty is left out."""
    return Markup(": ").join(filter(None, sentences))


LIMITS = ("size", "weights", "tuned", "question", "pairs", "greedy", "sample")
"""What limits the study, in this order, as far as it does."""


class Opening(Sentences):
    """Title and first sentences, the findings in brief, and what limits them.

    Attributes:
        firing: on which token the neuron fires; empty where it was not asked.
        brief: the findings, each with the experiment that shows it, of those that the study has.
        limits: what to know before believing any of it.
    """

    def __init__(self, study: StudyFacts, sections: Mapping[str, Any]) -> None:
        super().__init__(story("opening"), None, study=study)
        fires = sections.get("activations")
        self.firing: Markup = fires.firing if fires else Markup()
        found = (
            (each.name, _joined(getattr(sections[each.name], name) for name in names))
            for each in study.evidence.experiments
            for names in each.brief
        )
        self.brief = tuple((name, sentence) for name, sentence in found if sentence)
        limits = (getattr(self, f"limit_{name}") for name in LIMITS)
        self.limits = tuple(limit for limit in limits if limit)
