"""What it costs to copy a neuron: both models read texts, and grafts are tried on some."""

from collections.abc import Sequence

from analysis.corpus import articles
from analysis.experiments.neuron_sweep.cost import SCREENED, sweep_passes
from analysis.experiments.transplant.measured import VARIANTS, to_match
from analysis.experiments.transplant.texts import Text, gather
from analysis.inputs import Inputs
from analysis.subject import Subject

TRIES = 5
"""How often the strength of a graft is tried, about."""

READ = 3
"""Times that texts are read to try grafts on: by the donor, and for the graft's layer and that of
the recipient's own neuron."""


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer, with a recipient as the donor is."""
    question, depth = given.question, subject.n_layers
    contrast, asked = question.contrast(subject), (given["contexts"], given["seed"])
    texts = gather(subject, question, contrast, articles(), *asked)
    behind = (depth - 1 - given.neuron.layer) / depth
    read = sum(len(subject.tokens(text.text)) for text in texts.learnt) * (1 + 1 - behind)
    matched = _padded(subject, to_match(texts.learnt))
    tried = _padded(subject, texts.judged) + _padded(subject, texts.ordinary)
    followed = matched * TRIES + tried
    own = sweep_passes(subject, given, SCREENED) if question.corrupted else 0
    each = (matched + tried) * READ * (1 - behind) + followed * len(VARIANTS) * behind
    return int((read + each) * depth) + own


def _padded(subject: Subject, texts: Sequence[Text]) -> int:
    """Tokens of texts that are read as if all were as long as the longest."""
    return len(texts) * max((len(subject.tokens(text.text)) for text in texts), default=0)


def cheaper(_subject: Subject, _given: Inputs, _most: int) -> str:
    """How to ask for less."""
    return "learn from fewer places"
