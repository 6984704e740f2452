"""What a visitor looks at: one question, shared by all tabs and kept in the address."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from analysis import EMBEDDED, questions
from analysis.commands import reads_prompts
from analysis.declaration import Experiment
from analysis.errors import UserError
from analysis.questions import Question
from space.settings import LIST_CHARACTERS, NAME_CHARACTERS, TEXT_CHARACTERS, WORD_CHARACTERS

LONGEST = {
    "model": NAME_CHARACTERS,
    "question": NAME_CHARACTERS,
    "clean": TEXT_CHARACTERS,
    "corrupted": TEXT_CHARACTERS,
    "target": WORD_CHARACTERS,
    "foil": WORD_CHARACTERS,
    "neuron": NAME_CHARACTERS,
    "text": TEXT_CHARACTERS,
    "tab": NAME_CHARACTERS,
    "lines": TEXT_CHARACTERS,
    "template": LIST_CHARACTERS,
    "target_words": LIST_CHARACTERS,
    "foil_words": LIST_CHARACTERS,
}
"""Characters of each part of a view, at most."""

CALLED = {
    "clean": "clean prompt",
    "corrupted": "corrupted prompt",
    "lines": "list of pairs",
    "template": "sentence for words",
    "target_words": "list of target words",
    "foil_words": "list of foil words",
}
"""What a part is called, where that is not its name."""

USUAL = questions.default()

PAIR = ("clean", "corrupted", "target", "foil")
"""The parts of a view that ask one question of two prompts."""

OWN = ("lines", "template", "target_words", "foil_words")
"""The parts that stand in place of the two prompts."""


@dataclass(frozen=True)
class View:
    """One question, and the tab that shows it.

    Attributes:
        model: name of the model.
        question: the library's question whose other words and sentences go with the words.
        clean: the prompt that calls for the target.
        corrupted: the prompt that calls for the foil.
        target: the token asked for, with its leading space; with bars, a set of them.
        foil: the token or tokens it competes with.
        neuron: such as L25N1527; empty for the question's own.
        text: any text to look at the neuron in; empty for the clean prompt.
        tab: name of the open tab.
        lines: pairs of prompts, a line each, in place of the two prompts (``own``).
        template: a sentence with ``{}`` for a word, in place of them.
        target_words: words for it that call for the target, with commas between them.
        foil_words: words that call for the foil.
    """

    model: str = EMBEDDED
    question: str = USUAL.name
    clean: str = USUAL.clean
    corrupted: str = USUAL.corrupted
    target: str = USUAL.target
    foil: str = USUAL.foil
    neuron: str = ""
    text: str = ""
    tab: str = ""
    lines: str = ""
    template: str = ""
    target_words: str = ""
    foil_words: str = ""

    @property
    def neurons(self) -> tuple[str, ...]:
        """The neuron, if one is named."""
        return (self.neuron,) if self.neuron.strip() else ()


NAMES = frozenset(field.name for field in fields(View))


def parts(view: View, experiment: Experiment) -> dict[str, str]:
    """The parts of a view that an experiment's answer depends on, by name."""
    prompts = reads_prompts(experiment, view.target, view.foil)
    read = {
        "clean": prompts,
        "corrupted": prompts,
        "neuron": experiment.asks_about_a_neuron,
        "text": any(option.name == "text" for option in experiment.options),
        "tab": False,
    }
    return {name: getattr(view, name) for name in sorted(NAMES) if read.get(name, True)}


def pair_of(question: Question) -> dict[str, str]:
    """The parts of a view that ask a question's own pair of prompts."""
    return {name: getattr(question, name) for name in PAIR}


def make_view(parts: Any) -> View:
    """A view of texts by their names, which came from a visitor; what is missing is as usual.

    Raises:
        UserError: it is something else, or a text is too long.
    """
    if not isinstance(parts, Mapping) or not parts.keys() <= NAMES:
        raise UserError(f"A view is an object of texts, by the names {', '.join(sorted(NAMES))}.")
    for name, text in parts.items():
        if not isinstance(text, str):
            raise UserError(f"The {name} has to be a text.")
        if len(text) > LONGEST[name]:
            raise UserError(
                f"The {CALLED.get(name, name)} has {len(text):,} characters: the longest allowed"
                f" is {LONGEST[name]:,}."
            )
    return View(**parts)


def from_query(query: Mapping[str, str], start: View) -> View:
    """The view that an address names; what is missing or cannot be is as at the start.

    Where it names a question of the library and no words or prompts, these are the question's.
    """
    parts = {}
    for name in NAMES:
        value = query.get(name)
        if isinstance(value, str) and len(value) <= LONGEST[name]:
            parts[name] = value
    asked = next((each for each in library() if each.name == parts.get("question")), None)
    if asked and not {*PAIR, *OWN} & parts.keys():
        start = replace(start, neuron=start.neuron if asked == USUAL else "", **pair_of(asked))
    return replace(start, **parts)


@cache
def library() -> tuple[Question, ...]:
    """The questions that come with the project, the default first."""
    return tuple(map(questions.load, questions.library()))
