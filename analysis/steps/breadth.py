"""Steps that look beyond the one neuron and the one model."""

from analysis import corpus
from analysis.asked import SCREEN
from analysis.experiments.census import Census, census
from analysis.experiments.comparison import (
    CHARACTERS,
    TEXTS,
    Comparison,
    beginnings,
    comparison,
    together,
)
from analysis.loading.models import CATALOGUE
from analysis.progress import Progress
from analysis.steps.inputs import Inputs, Step, drawn, held_out, neuron
from analysis.subject import Subject
from analysis.weights.agreement import draw_windows

NOT_ASKED = "not part of this study."
"""Why the other models of the catalogue have no row in it."""

CENSUS_TEXTS, CENSUS_TOKENS = 64, 128
"""Articles, and tokens of each, on which the census compares neurons with predictions."""


def _census(subject: Subject, inputs: Inputs, progress: Progress) -> Census:
    texts = corpus.sample(CENSUS_TEXTS, inputs.seed)
    windows = draw_windows(subject, texts, CENSUS_TOKENS, inputs.seed)
    return census(subject, inputs.pair.contrast, windows, inputs.neuron, inputs.seed, progress)


def _comparison(subject: Subject, inputs: Inputs, progress: Progress) -> Comparison:
    texts = beginnings(corpus.sample(TEXTS, inputs.seed))
    asked = (inputs.pair, inputs.held_out, texts, SCREEN, inputs.seed)
    found = comparison(subject, *asked, progress)
    return together([found], dict.fromkeys(_others(subject), NOT_ASKED))


def _others(subject: Subject) -> list[str]:
    """The catalogue's models but the one under study."""
    return [entry.name for entry in CATALOGUE if entry.name != subject.origin.name]


CENSUS = Step(
    "census",
    Census,
    _census,
    {"neuron": neuron, "census_texts": drawn(f"{CENSUS_TEXTS} of {CENSUS_TOKENS} tokens")},
    ("analysis.corpus",),
)
COMPARISON = Step(
    "comparison",
    Comparison,
    _comparison,
    {
        "held_out": held_out,
        "compared_texts": drawn(f"{TEXTS} of {CHARACTERS} characters"),
        "screen": lambda _: SCREEN,
    },
    ("analysis.corpus", "analysis.loading.models"),
)
