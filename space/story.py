"""What the committed study of a model says: instantly, since nothing is computed."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import plotly.graph_objects as go
from markupsafe import Markup

from analysis import questions, results, sentences
from analysis.claims import Claims
from analysis.errors import UserError
from analysis.evidence import QUESTION, Evidence, load_evidence
from analysis.loading.assets import notice
from analysis.sentences import Sentences


@dataclass(frozen=True)
class Story:
    """A study with what it claims."""

    evidence: Evidence
    claims: Claims

    @cached_property
    def figures(self) -> list[tuple[Markup, go.Figure]]:
        """The figures that tell the argument, each with its finding."""
        sign = self.claims.study.sign
        return [
            (
                self.claims.caption(experiment, figure),
                experiment.draw(figure, self.evidence.results[experiment.name], sign),
            )
            for experiment, figure in self.evidence.figures
            if figure.key
        ]


def story(model: str, question: str = questions.DEFAULT) -> Story | None:
    """The committed study of a model and a question of the library, if there is one.

    One that cannot be read is none for visitors; whoever runs the app is told why.
    """
    if model not in studied() or question not in questions.library():
        return None
    folder = results.COMMITTED / model / question
    if not results.exists(folder, QUESTION):
        return None
    try:
        return _story(folder)
    except UserError as error:  # nothing of it is kept: it may be whole next time
        unread(error)
        return None


def unread(error: UserError) -> None:
    """Tell whoever runs the app why visitors are not shown what is committed."""
    notice(f"What is committed is not shown: {error}")


def studied() -> set[str]:
    """The models of which anything is committed: only these may be looked for."""
    return {folder.name for folder in results.COMMITTED.glob("*")}


@cache
def _story(folder: Path) -> Story:
    evidence = load_evidence(folder)
    return Story(evidence, Claims(evidence))


def said(model: str, **words: str) -> Sentences:
    """What the app says of a model's committed results, or in their place."""
    return Sentences(sentences.story("app"), None, model=model, **words)


def opening(model: str) -> Markup:
    """What is known of the model's neuron, in a sentence."""
    study = story(model)
    found = study.claims.opening.lede if study else said(model).opening
    return Markup(found)  # noqa: S704  (markup already)
