"""What it costs to copy a neuron: both models read texts, and grafts are tried on some."""

from analysis.experiments.neuron_sweep.cost import SCREENED, sweep_passes
from analysis.experiments.transplant.measured import MATCHED_CONTEXTS, VARIANTS
from analysis.experiments.transplant.texts import CONTEXT, fillers, ordinary
from analysis.inputs import Inputs
from analysis.questions import Question
from analysis.subject import Subject

TRIES = 5
"""How often the strength of a graft is tried, about."""

READ = 3
"""Times that texts are read to try grafts on: by the donor, and for the graft's layer and that of
the recipient's own neuron."""


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer, with a recipient as the donor is.

    A bound, as if the corpus had a place for every context: it is not read for this.
    """
    question, depth, contexts = given.question, subject.n_layers, given["contexts"]
    words = -(-(len(question.target_words) + len(question.foil_words)) // 2)
    sentence, longest = _tokens(subject, question)
    long = max(longest, CONTEXT)
    behind = (depth - 1 - given.neuron.layer) / depth
    learnt = (words + fillers(contexts)) * sentence + 2 * contexts * CONTEXT
    read = learnt * (1 + 1 - behind)
    matched = (words + min(MATCHED_CONTEXTS, 2 * contexts)) * long
    known = words * (1 + len(question.held_out_templates)) + len(question.natural)
    tried = (known + 2 * contexts) * long + ordinary(contexts) * CONTEXT
    followed = matched * TRIES + tried
    own = sweep_passes(subject, given, SCREENED) if question.corrupted else 0
    each = (matched + tried) * READ * (1 - behind) + followed * len(VARIANTS) * behind
    return int((read + each) * depth) + own


def _tokens(subject: Subject, question: Question) -> tuple[int, int]:
    """Tokens of the pair's sentence with a word in it, and of the longest of all sentences."""
    word = max((*question.target_words, *question.foil_words), key=len)
    texts = (
        *(each.format(word) for each in (question.template, *question.held_out_templates)),
        *(each.text for each in question.natural),
    )
    sizes = [len(subject.tokens(text)) for text in texts]
    return sizes[0], max(sizes)


def cheaper(_subject: Subject, _given: Inputs, _most: int) -> str:
    """How to ask for less."""
    return "learn from fewer places"
