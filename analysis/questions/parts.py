"""What a question holds beside its words: prose, examples to begin with, and pairs of its own."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, field_validator

from analysis.questions.factors import Part
from analysis.token_sets import together


def _joined(words: Any) -> Any:
    """A list of tokens as one text (``contrast.members``)."""
    if not isinstance(words, list | tuple):
        return words
    if not words or not all(isinstance(word, str) and word for word in words):
        raise ValueError("a set is a list of one token or more, each a text")
    return together(words)


Words = Annotated[str, BeforeValidator(_joined)]
"""A token, or a set of tokens: a list in a file, one text with bars elsewhere."""


class Natural(Part):
    """A prompt of ordinary prose and what it calls for."""

    text: str
    calls_for: Literal["target", "foil"] = "target"


class Example(Part):
    """What a visitor can begin with: another pair, or a text to look at a neuron in."""

    name: str
    clean: str = ""
    corrupted: str = ""
    text: str = ""


def same(clean: str, corrupted: str, target: str, foil: str) -> tuple[frozenset[str], ...]:
    """What two pairs have in common that ask the very same, either way round."""
    return frozenset((clean, corrupted)), frozenset((target, foil))


class Pair(Part):
    """Two more prompts that ask the same; of other words where they are given.

    Attributes:
        clean: the prompt that calls for the target.
        corrupted: the prompt that calls for the foil.
        target: the token asked for, where it is not the question's.
        foil: the token it competes with, likewise.
    """

    clean: str
    corrupted: str
    target: Words = ""
    foil: Words = ""

    @field_validator("clean", "corrupted")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("is empty")
        return text
