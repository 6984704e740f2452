"""Steps that look beyond the one neuron and the one model."""

from analysis import corpus
from analysis.asked import SCREEN
from analysis.experiments.comparison import (
    CHARACTERS,
    TEXTS,
    Comparison,
    beginnings,
    comparison,
    together,
)
from analysis.models import CATALOGUE
from analysis.progress import Progress
from analysis.steps.inputs import Inputs, Step, drawn, held_out
from analysis.subject import Subject

NOT_ASKED = "not part of this study."
"""Why the other models of the catalogue have no row in it."""


def _comparison(subject: Subject, inputs: Inputs, progress: Progress) -> Comparison:
    texts = beginnings(corpus.sample(TEXTS, inputs.seed))
    asked = (inputs.pair, inputs.held_out, texts, SCREEN, inputs.seed)
    others = [entry.name for entry in CATALOGUE if entry.name != subject.origin.name]
    found = comparison(subject, *asked, progress)
    return together([found], dict.fromkeys(others, NOT_ASKED))


COMPARISON = Step(
    "comparison",
    Comparison,
    _comparison,
    {"held_out": held_out, "compared_texts": drawn(f"{TEXTS} of {CHARACTERS} characters")},
    ("analysis.corpus", "analysis.models"),
)
