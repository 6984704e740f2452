"""What it costs to read articles."""

from analysis import corpus
from analysis.inputs import Inputs
from analysis.subject import Subject

TOKEN_CHARACTERS = 4.5
"""Characters of a token of English, about."""


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer: every article, read once."""
    articles = corpus.sample(given["documents"] or len(corpus.articles()), given["seed"])
    return int(sum(len(text) for _, text in articles) / TOKEN_CHARACTERS) * subject.n_layers


def cheaper(_subject: Subject, _given: Inputs, _most: int) -> str:
    """How to ask for less."""
    return "read fewer articles"
