"""Sentences and words that ask again, elsewhere, what the default pair of prompts asks once."""

from analysis.question import CONSONANT_TREES, TEMPLATE, VOWEL_TREES

SENTENCES = (
    TEMPLATE,
    "She sat under the {} tree and ate",
    "The wind shook the {} tree, and down fell",
    "My favourite tree is the {} tree, so last spring I planted",
    "Everyone calls this the {} tree, because it is",
    "He reached up into the {} tree and pulled down",
    "The sign says that this is the {} tree. A sign like that tells you that you are looking at",
)
"""The original's sentence, and others in which a tree decides between " an" and " a".

The others were written before any neuron was read in them, and none took part in choosing one.
"""

TREE_WORDS = 20
"""Words of either kind."""


def tree_words() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tree words that take " an" and as many that take " a": the first of each list."""
    return VOWEL_TREES[:TREE_WORDS], CONSONANT_TREES[:TREE_WORDS]
