"""What experiments need of a question, and whether it has that."""

from collections.abc import Sequence
from typing import Any, Literal

Need = Literal[
    "prompts",
    "pair",
    "words",
    "held_out",
    "natural",
    "crossed",
    "plan",
    "neuron",
    "neuron if named",
    "rivals",
    "corpus",
]
"""What an experiment takes, beside target and foil: ``prompts``, one or two; ``pair``, two that are
aligned; groups of ``words``, and held-out pairs of them; ``natural`` prose; factors to be
``crossed``, and the ``plan`` among them; a ``neuron``, by itself the model's own best, and its
``rivals``; texts of the ``corpus``. A question without a pair, without words or without factors is
not put to an experiment that needs them; the others do with less."""


def has(question: Any, needs: Sequence[Need]) -> bool:
    """Whether a question has the parts that are named."""
    parts: dict[str, bool] = {
        "prompts": bool(question.clean),
        "pair": bool(question.clean and question.corrupted),
        "words": bool(question.has_words),
        "held_out": bool(question.has_words or question.pairs),
        "natural": bool(question.natural),
        "crossed": question.crossed is not None,
        "plan": question.crossed is not None and question.crossed.plan is not None,
    }
    return all(parts.get(need, True) for need in needs)
