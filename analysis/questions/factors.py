"""The factors that a question crosses: examples, frames, and words whose look and use disagree."""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from analysis.token_sets import members

Side = Literal["target", "foil"]

_FRAME = re.compile(r"\{([^{}]*)\}")


class Part(BaseModel):
    """Unknown keys are mistakes, and nothing changes after it was checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(Part):
    """Words of one kind.

    Attributes:
        kind: what they have in common, a few words.
        calls_for: which token the rule puts before them.
        looks_like: which token one would expect who goes by the cue.
        words: the words.
    """

    kind: str
    calls_for: Side
    looks_like: Side
    words: tuple[str, ...]


class Plan(Part):
    """What the model would go on with if it said neither target nor foil.

    Attributes:
        instead: the text that stands in their place, with its leading space.
        target: pattern of the tokens before which the rule puts the target, a regular expression
            for the whole token with its leading space.
        foil: the same for the foil.
    """

    instead: str
    target: str
    foil: str

    @field_validator("target", "foil")
    @classmethod
    def _is_a_pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern[:60]!r} is no regular expression: {error}") from error
        return pattern


class Factors(Part):
    """Every example before every frame with every word in it.

    Attributes:
        rule: what decides between target and foil, in a word.
        cue: what mostly goes with it, in a word; the words tell the two apart.
        examples: what stands before a frame, by name; ``{word}`` is the frame itself with that
            word in it. The first is that of the question's own pair.
        frames: sentences with ``{}`` for the word; the first is that of the question's own pair.
        words: as many of each of the four kinds that rule and cue make.
        plan: how to ask what the model would say next; None where that is not asked.
    """

    rule: str
    cue: str
    examples: Mapping[str, str]
    frames: tuple[str, ...]
    words: tuple[Kind, ...]
    plan: Plan | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> "Factors":
        wrong = list(self._wrong())
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _wrong(self) -> Iterator[str]:
        if len(self.frames) < 2:
            yield "frames: give two or more, since they are resampled"
        for frame in self.frames:
            if frame.count("{}") != 1 or frame.count("{") != 1 or frame.count("}") != 1:
                yield f"frames: {frame[:60]!r} needs {{}} once, where the word goes"
        if len(set(self.frames)) < len(self.frames):
            yield "frames: one stands there twice"
        if not self.examples:
            yield 'examples: give one or more; no example is the empty text ""'
        for name, text in self.examples.items():
            rest = _FRAME.sub("", text)
            if "{" in rest or "}" in rest or not all(map(str.strip, _FRAME.findall(text))):
                yield f"examples.{name}: a brace needs a word in it, as in {{word}}"
        every = [word for kind in self.words for word in kind.words]
        if len(set(every)) < len(every):
            yield "words: one stands there twice"
        if not all(word.strip() for word in every):
            yield "words: one is empty"
        sizes = self.sizes()
        if len(set(sizes.values())) > 1 or min(sizes.values()) < 2:
            told = ", ".join(
                f"{size} call for the {rule} and look like the {cue}"
                for (rule, cue), size in sizes.items()
            )
            yield f"words: rule and cue need as many words of all four kinds, two or more: {told}"

    def __hash__(self) -> int:
        """A mapping has none of its own."""
        return hash(
            (
                self.rule,
                self.cue,
                frozenset(self.examples.items()),
                self.frames,
                self.words,
                self.plan,
            )
        )

    def sizes(self) -> dict[tuple[Side, Side], int]:
        """How many words there are by what they call for and what they look like."""
        sides: tuple[Side, Side] = ("target", "foil")
        return {
            (rule, cue): sum(
                len(kind.words)
                for kind in self.words
                if (kind.calls_for, kind.looks_like) == (rule, cue)
            )
            for rule in sides
            for cue in sides
        }

    def text(self, example: str, frame: str, word: str) -> str:
        """A prompt: the example of that name, and the frame with the word in it."""
        return f"{self.beginning(example, frame)} {frame.format(word)}".strip()

    def beginning(self, example: str, frame: str) -> str:
        """The example of that name as it stands before a frame."""
        return _FRAME.sub(lambda found: frame.format(found[1]), self.examples[example])

    def says(self, example: str, target: str, foil: str) -> str:
        """Which of the two tokens stands in the example's own words; both, or none."""
        words = re.findall(r"[^\W_]+|[^\w\s]", _FRAME.sub(" ", self.examples[example]))
        sides = {"target": members(target), "foil": members(foil)}
        return " and ".join(
            side for side, told in sides.items() if any(token.strip() in words for token in told)
        )

    def wrong(self, target: str, foil: str, template: str) -> Iterator[str]:
        """What is wrong with the factors beside the rest of a question."""
        for name in self.examples:
            if " and " in self.says(name, target, foil):
                yield f"crossed.examples.{name} has both target and foil: leave one out"
        own = self.text(next(iter(self.examples)), self.frames[0], "{}")
        if own != template:
            yield (
                f"crossed begins with {own[:90]!r}: its first example before its first frame has "
                "to be the template"
            )
