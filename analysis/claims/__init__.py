"""Every number and every conditional sentence of the page, computed from results.

Prose that a number could refute is chosen by that number. What an experiment says of itself lies in
its folder; what compares several, or is about the study as a whole, lies here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from analysis import sentences
from analysis.claims import making
from analysis.claims.methods import Methods, methods
from analysis.claims.opening import Opening
from analysis.declaration import Experiment, Figure
from analysis.evidence import Evidence
from analysis.experiments import named
from analysis.original import facts as beside
from analysis.sentences import Sentences
from analysis.study_facts import study_facts

BESIDE_ORIGINAL = Figure("beside_original", module="figures_original")
"""Our patching maps beside the published ones, drawn for the question that they answer."""


@dataclass(frozen=True)
class Claims:
    """What a study says: as a whole, and of each experiment, by its name.

    What is said of an experiment is an attribute, too: ``claims.neuron_sweep``.
    """

    opening: Opening
    making: making.Making
    methods: tuple[Methods, ...]
    original: Sentences | None
    sections: Mapping[str, Any]
    model: str
    neuron: str
    target: str
    foil: str
    question: str

    def __getattr__(self, name: str) -> Any:
        """What is said of an experiment.

        Raises:
            AttributeError: the study has none.
        """
        try:
            return self.__dict__["sections"][name]
        except KeyError:
            raise AttributeError(f"nothing is said of {name}") from None

    def caption(self, experiment: Experiment, figure: Figure) -> Markup:
        """The finding that a figure shows."""
        if figure is BESIDE_ORIGINAL:
            assert self.original is not None
            return self.original.caption
        return Markup(getattr(self.sections[experiment.name], figure.caption))  # noqa: S704


def make_claims(evidence: Evidence) -> Claims:
    """Work out all that the page says about one study."""
    study = study_facts(evidence)
    sections = {each.name: sentences.claims(each, evidence) for each in evidence.experiments}
    theirs = beside.same_words(evidence.question)
    return Claims(
        opening=Opening(study, sections),
        making=making.making(evidence),
        methods=tuple(methods(study, sections)),
        original=Sentences(sentences.story("original"), beside.facts(study), study=study)
        if theirs
        else None,
        sections=sections,
        model=study.model,
        neuron=evidence.neuron,
        target=evidence.question.target,
        foil=evidence.question.foil,
        question=evidence.question.label,
    )


def figures(evidence: Evidence) -> tuple[tuple[Experiment, Figure], ...]:
    """Every figure of a study with the experiment whose Result it draws, in reading order."""
    if not beside.same_words(evidence.question):
        return evidence.figures
    return (*evidence.figures, (named("patching"), BESIDE_ORIGINAL))
