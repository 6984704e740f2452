"""Every number and every conditional sentence of the page, computed from results.

Prose that a number could refute is chosen by that number. What an experiment says of itself lies in
its folder; what compares several, or is about the study as a whole, lies here.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from analysis import sentences
from analysis.claims.making import Making, making
from analysis.claims.methods import Methods, methods
from analysis.claims.opening import Opening
from analysis.declaration import Experiment, Figure
from analysis.evidence import Evidence
from analysis.experiments import named
from analysis.original import facts as beside
from analysis.sentences import Sentences
from analysis.study_facts import StudyFacts

BESIDE_ORIGINAL = Figure("beside_original", module="figures_original")
"""Our patching maps beside the published ones, drawn for the question that they answer."""


@dataclass(frozen=True)
class Claims:
    """What a study says: as a whole, and of each experiment, by its name.

    What is said of an experiment is an attribute: ``claims.neuron_sweep``. Each part is worked out
    when it is first asked for.
    """

    evidence: Evidence

    def __getattr__(self, name: str) -> Any:
        """What is said of an experiment.

        Raises:
            AttributeError: the study has none.
        """
        if name.startswith("_") or name not in self._names:
            raise AttributeError(f"nothing is said of {name}")
        said = sentences.claims(named(name), self.study)
        self.__dict__[name] = said  # worked out once, then there as any attribute
        return said

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(each.name for each in self.evidence.experiments)

    @cached_property
    def study(self) -> StudyFacts:
        """Facts that compare several experiments, or are about the study as a whole."""
        return StudyFacts(self.evidence)

    def of(self, name: str) -> Any:
        """What is said of an experiment; None where the study has none of that name."""
        return getattr(self, name) if name in self._names else None

    @cached_property
    def opening(self) -> Opening:
        """Title, first sentences, findings in brief and limits."""
        return Opening(self.study, self.of)

    @cached_property
    def making(self) -> Making:
        """How the numbers were made."""
        return making(self.evidence)

    @cached_property
    def methods(self) -> tuple[Methods, ...]:
        """What each claim rests on."""
        return tuple(methods(self.study, self.of))

    @cached_property
    def original(self) -> Sentences | None:
        """The original study beside this one, where they can be compared."""
        if not beside.comparable(self.evidence):
            return None
        facts = beside.facts(self.study)
        return Sentences(sentences.story("original"), facts, study=self.study)

    @property
    def of_originals_words(self) -> bool:
        """Whether the study asks for the words that the original asked for."""
        return beside.same_words(self.evidence.question)

    def caption(self, experiment: Experiment, figure: Figure) -> Markup:
        """The finding that a figure shows."""
        if figure is BESIDE_ORIGINAL:
            assert self.original is not None
            return self.original.caption
        return Markup(getattr(getattr(self, experiment.name), figure.caption))  # noqa: S704


def figures(evidence: Evidence) -> tuple[tuple[Experiment, Figure], ...]:
    """Every figure of a study with the experiment whose Result it draws, in reading order."""
    if not beside.comparable(evidence):
        return evidence.figures
    return (*evidence.figures, (named("patching"), BESIDE_ORIGINAL))
