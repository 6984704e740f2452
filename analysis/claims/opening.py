"""The first lines of the page: is there such a neuron at all, when does it fire, what limits it?"""

from collections.abc import Callable, Iterable
from functools import cached_property
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
    """Title and first sentences, the findings in brief, and what limits them: each when asked."""

    def __init__(self, study: StudyFacts, said_of: Callable[[str], Any]) -> None:
        super().__init__(story("opening"), None, study=study)
        self._experiments, self._said_of = study.evidence.experiments, said_of

    @cached_property
    def firing(self) -> Markup:
        """On which token the neuron fires; empty where it was not asked."""
        said = self._said_of("activations")
        return said.firing if said else Markup()

    @cached_property
    def brief(self) -> tuple[tuple[str, Markup], ...]:
        """The findings, each with the experiment that shows it, of those that the study has."""
        found = (
            (each.name, _joined(getattr(self._said_of(each.name), name) for name in names))
            for each in self._experiments
            for names in each.brief
        )
        return tuple((name, sentence) for name, sentence in found if sentence)

    @cached_property
    def limits(self) -> tuple[Markup, ...]:
        """What to know before believing any of it."""
        limits = (getattr(self, f"limit_{name}") for name in LIMITS)
        return tuple(limit for limit in limits if limit)
