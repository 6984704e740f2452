"""The questions that tests ask: the default one, and some whose words the tiny models know."""

import tomllib
from pathlib import Path

from analysis import questions
from analysis.prompts import PromptPair
from analysis.questions import Question
from analysis.subject import Subject

CLEAN = "I climbed up the apple tree and picked"
CORRUPTED = "I climbed up the lemon tree and picked"

PAIR = Question(clean=CLEAN, corrupted=CORRUPTED, target=" an", foil=" a")
"""A bare pair of prompts."""

TREES_FILE = Path(__file__).resolve().parent / "trees.toml"
TREES = questions.load(str(TREES_FILE))
"""The same pair with everything else that a question can have."""

FACTORS = tomllib.loads(TREES_FILE.read_text(encoding="utf-8"))["crossed"]
"""Sound and letter crossed, in words that the tiny models know."""


def make_tiny_pair(subject: Subject) -> PromptPair:
    return PAIR.pair(subject)


def default_pair(subject: Subject) -> PromptPair:
    """The pair of the default question."""
    return questions.default().pair(subject)


def held_out_pairs(subject: Subject, limit: int = 20) -> tuple[PromptPair, ...]:
    """What confirms the default question."""
    return questions.default().held_out_pairs(subject, limit)
