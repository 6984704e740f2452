"""Links from a figure to the app, where the same question can be asked on."""

from functools import cache
from urllib.parse import urlencode

from analysis import questions
from analysis.declaration import Experiment
from analysis.evidence import Evidence
from analysis.questions import Question

LOCAL = "http://127.0.0.1:7860/"
"""Where the app answers on a reader's own machine."""

PARTS = ("clean", "corrupted", "target", "foil")


def app_link(evidence: Evidence, experiment: Experiment, app: str = LOCAL) -> str:
    """The address at which the app shows the same model, question and neuron.

    Args:
        evidence: the study.
        experiment: which one the app is to open.
        app: where the app answers.
    """
    question = {**_question(evidence.question), "model": evidence.origin.model}
    tab = experiment.tab or experiment.name
    return f"{app}?{urlencode({**question, 'neuron': evidence.neuron, 'tab': tab})}"


@cache
def _question(question: Question) -> dict[str, str]:
    """What differs from the usual question, and the name of one of the library."""
    default = questions.default()
    view = {part: getattr(question, part) for part in PARTS}
    named = {part: text for part, text in view.items() if text != getattr(default, part)}
    if named and question.source in questions.library():
        named["question"] = question.source
    return named
