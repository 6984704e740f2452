"""What it costs to copy a neuron: both models read texts, and grafts are tried on some."""

from analysis.cost import whole
from analysis.experiments.neuron_sweep.cost import SCREENED, sweep_passes
from analysis.experiments.transplant.measured import MATCHED_CONTEXTS, VARIANTS
from analysis.experiments.transplant.texts import CONTEXT, fillers, ordinary
from analysis.inputs import Inputs
from analysis.subject import Subject

TRIES = 5
"""How often the strength of a graft is tried, about."""


def passes(subject: Subject, given: Inputs) -> int:
    """Passes of a token through a layer, with a recipient as deep as the donor."""
    question, contexts = given.question, given["contexts"]
    words = [*question.target_words, *question.foil_words]
    sentences = [question.template, *question.held_out_templates]
    first, *others = (whole(subject, each.format(words[0])) for each in sentences)
    article, half = CONTEXT * subject.n_layers, len(words) // 2
    behind = (subject.n_layers - 1 - given.neuron.layer) / subject.n_layers
    learnt = (half + fillers(contexts)) * first + 2 * contexts * article
    strength = half * first + min(2 * contexts, MATCHED_CONTEXTS) * article
    judged = half * (first + sum(others)) + (2 * contexts + ordinary(contexts)) * article
    grafts = len(VARIANTS) * behind
    sweep = sweep_passes(subject, given, SCREENED) if question.corrupted else 0
    return int(2 * learnt + strength * (3 + TRIES * grafts) + judged * (3 + grafts)) + sweep


def cheaper(_subject: Subject, _given: Inputs, _most: int) -> str:
    """How to ask for less."""
    return "learn from fewer places"
