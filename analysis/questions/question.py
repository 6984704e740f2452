"""One question: prompts, two words, and what confirms the answer. It knows no file and no model."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError, model_validator

from analysis.errors import UserError
from analysis.questions.factors import Factors, Part
from analysis.questions.mistakes import mistakes
from analysis.questions.parts import Example, Natural, Pair, Words, same
from analysis.token_sets import members, mistake

if TYPE_CHECKING:  # so that questions are listed without torch
    from analysis.contrast import Contrast
    from analysis.prompts import Prompt, PromptPair, PromptSet
    from analysis.subject import Subject


class Question(Part):
    """One question. The pair chooses a neuron; words, other templates and prose confirm it.

    Attributes:
        clean: the prompt that calls for the target.
        corrupted: the prompt that calls for the foil, with as many tokens; empty for none.
        target: the token asked for, with its leading space; or a set of tokens, a list.
        foil: the token it competes with, or a set.
        title: what it is called.
        about: why anyone asks, a paragraph.
        template: the sentence of the pair, ``{}`` where the word stands.
        target_words: words that call for the target.
        foil_words: words that call for the foil.
        held_out_templates: other sentences, which take no part in choosing.
        pairs: more pairs of prompts that ask the same, written out.
        natural: ordinary prose, and what each calls for; what calls for the target is asked.
        examples: what a visitor can begin with.
        crossed: factors to cross, so that rule and cue, word and example are told apart.
        name: of its file, and of the folder of its results.
        source: how its file is named on the command line.
    """

    clean: str
    corrupted: str = ""
    target: Words
    foil: Words
    title: str = ""
    about: str = ""
    template: str = ""
    target_words: tuple[str, ...] = ()
    foil_words: tuple[str, ...] = ()
    held_out_templates: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    natural: tuple[Natural, ...] = ()
    examples: tuple[Example, ...] = ()
    crossed: Factors | None = None
    name: str = ""
    source: str = ""

    def __init__(self, **parts: Any) -> None:
        """Check every part.

        Raises:
            UserError: some of it is wrong; all of that is named.
        """
        try:
            super().__init__(**parts)
        except ValidationError as error:
            raise UserError(f"This is no question: {mistakes(error, Question)}.") from error

    @model_validator(mode="after")
    def _makes_sense(self) -> "Question":
        wrong = list(_wrong(self))
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def label(self) -> str:
        """Its title, or its two words."""
        words = ("/".join(map(str.strip, members(each))) for each in (self.target, self.foil))
        return self.title or " or ".join(words)

    @property
    def key(self) -> str:
        """The folder of its results: its name, or one made of its words and prompts."""
        if self.name:
            return self.name
        words = [
            re.sub(r"\W+", "", word, flags=re.ASCII).lower() for word in (self.target, self.foil)
        ]
        text = repr((self.clean, self.corrupted, self.target, self.foil, self.target_words))
        return "_".join(
            [*filter(None, words), hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:6]]
        )

    @property
    def has_words(self) -> bool:
        """Whether it has groups of words to put into sentences."""
        return bool(self.target_words)

    def replaced(
        self,
        clean: str | None = None,
        corrupted: str | None = None,
        target: str | None = None,
        foil: str | None = None,
    ) -> "Question":
        """The question with other prompts or words; its own groups of words go with its own words.

        Raises:
            UserError: what is given makes no question.
        """
        words = {
            "target": self.target if target is None else target,
            "foil": self.foil if foil is None else foil,
        }
        kept = words == {"target": self.target, "foil": self.foil}
        if kept and clean is None and corrupted is None:
            return self
        if clean is None and corrupted is None:
            prompts = {"clean": self.clean, "corrupted": self.corrupted}
        else:
            prompts = {"clean": clean or "", "corrupted": corrupted or ""}
        if kept and prompts == {"clean": self.clean, "corrupted": self.corrupted}:
            return self
        if not kept:
            return Question(**prompts, **words)
        parts = {name: getattr(self, name) for name in type(self).model_fields}
        return Question(
            **{
                **parts,
                **prompts,
                "name": "",
                "source": "",
                "pairs": (),
                "natural": (),
                "examples": (),
            }
        )

    def contrast(self, subject: "Subject") -> "Contrast":
        """Target and foil as tokens.

        Raises:
            UserError: one of them is no word that can be asked for.
        """
        from analysis.contrast import make_contrast

        return make_contrast(subject, self.target, self.foil)

    def prompt(self, subject: "Subject") -> "Prompt":
        """The clean prompt.

        Raises:
            UserError: it is empty or too long.
        """
        from analysis.prompts import make_prompt

        return make_prompt(subject, self.clean, "clean prompt")

    def pair(self, subject: "Subject") -> "PromptPair":
        """Both prompts, aligned from their ends.

        Raises:
            UserError: one is missing or too long, or they are identical.
        """
        from analysis.prompts import make_pair

        if bool(self.clean) != bool(self.corrupted):
            has, lacks = ("clean", "corrupted") if self.clean else ("corrupted", "clean")
            raise UserError(f"Only the {has} prompt is given: a pair needs the {lacks} one too.")
        return make_pair(subject, self.clean, self.corrupted, self.target, self.foil, equal=False)

    def prompts(self, subject: "Subject") -> "tuple[Prompt, ...]":
        """The clean prompt, and the corrupted one where there is one.

        Raises:
            UserError: a prompt cannot be read, or the two cannot be aligned.
        """
        if not self.corrupted:
            return (self.prompt(subject),)
        pair = self.pair(subject)
        return pair.clean, pair.corrupted

    def other_pairs(self, subject: "Subject") -> "tuple[PromptPair, ...]":
        """All pairs but the question's own: those written out, then words in its sentence.

        Words of both groups are matched by their number of tokens, in list order. A pair that
        shares a prompt with the question's own is left out, as is one that stands here already, one
        that the tokenizer cannot align, and one whose own words are several tokens long where the
        question's are not.
        """
        from analysis.prompts import make_pair

        long = self.contrast(subject).is_long
        pairs = []
        for clean, corrupted, target, foil in self._other_texts(subject):
            if not {clean, corrupted} & {self.clean, self.corrupted}:
                with suppress(UserError):
                    pair = make_pair(subject, clean, corrupted, target, foil)
                    pairs += [pair] if long or not pair.contrast.is_long else []
        return tuple(pairs)

    def _other_texts(self, subject: "Subject") -> Iterator[tuple[str, str, str, str]]:
        """Clean and corrupted prompt, target and foil of the other pairs, each pair once."""
        own = self.target, self.foil
        texts = [(p.clean, p.corrupted, p.target or own[0], p.foil or own[1]) for p in self.pairs]
        for words in matched(subject, self.target_words, self.foil_words):
            first, second = map(self.template.format, words)
            texts.append((first, second, *own))
        known = set()
        for each in texts:
            if same(*each) not in known:
                known.add(same(*each))
                yield each

    def selection_pairs(self, subject: "Subject", many: int) -> "tuple[PromptPair, ...]":
        """The pairs that choose a neuron: the question's own, then others in their order.

        Raises:
            UserError: it has fewer, or its own cannot be aligned.
        """
        pairs = (self.pair(subject), *self.other_pairs(subject))[:many]
        if len(pairs) < many:
            raise UserError(
                f"{many} pairs are to choose, but {self.label!r} has {len(pairs)} that "
                f"{subject.origin.name} can read: ask for fewer, or give it more words or pairs."
            )
        return pairs

    def held_out_pairs(
        self, subject: "Subject", limit: int = 20, choosing: int = 1
    ) -> "tuple[PromptPair, ...]":
        """Pairs that confirm what others chose, at most ``limit``; so many ``choosing`` ones."""
        return self.other_pairs(subject)[choosing - 1 :][:limit]

    def word_prompts(self, subject: "Subject") -> "PromptSet":
        """All words in the sentence of the pair; without words the pairs that are written out.

        With neither only the question's own prompts: they serve to find neurons as active on them,
        and are no sample to estimate by.
        """
        from analysis.prompts import PromptSet, make_prompt

        own = self.prompts(subject)
        if not self.has_words:
            return _written(subject, own, self)
        words = self.target_words + self.foil_words
        prompts = tuple(make_prompt(subject, self.template.format(word)) for word in words)
        kinds = (True,) * len(self.target_words) + (False,) * len(self.foil_words)
        return PromptSet(prompts, kinds, tuple(prompt in own for prompt in prompts))


def _written(subject: "Subject", own: "tuple[Prompt, ...]", question: Question) -> "PromptSet":
    """A question's own prompts, then those of its written pairs that ask for the same words."""
    from analysis.prompts import PromptSet

    kinds = dict(zip(own, (True, False), strict=False))
    for pair in question.other_pairs(subject):
        if (pair.contrast.target, pair.contrast.foil) == (question.target, question.foil):
            kinds |= {pair.clean: True, pair.corrupted: False}
    return PromptSet(tuple(kinds), tuple(kinds.values()), tuple(p in own for p in kinds))


def matched(
    subject: "Subject", target_words: Sequence[str], foil_words: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Words of both groups that have as many tokens inside a sentence, in list order."""
    spare = [(word, len(subject.pieces(" " + word))) for word in foil_words]
    for word in target_words:
        size = len(subject.pieces(" " + word))
        match = next((each for each in spare if each[1] == size), None)
        if match is not None:
            spare.remove(match)
            yield word, match[0]


def _wrong(question: Question) -> "list[str]":
    """What is wrong with a question beyond the form of its parts, a clause each."""
    asked = [(question.target, question.foil)]
    asked += [(p.target or question.target, p.foil or question.foil) for p in question.pairs]
    wrong = [told for told in (mistake(*words) for words in dict.fromkeys(asked)) if told]
    templates = {
        "template": (question.template,) if question.template else (),
        "held_out_templates": question.held_out_templates,
    }
    wrong += [
        f"{key} {text[:60]!r} needs {{}} once, where the word goes"
        for key, texts in templates.items()
        for text in texts
        if text.count("{}") != 1 or text.count("{") != 1 or text.count("}") != 1
    ]
    groups = {"target_words": question.target_words, "foil_words": question.foil_words}
    for key, words in groups.items():
        if len(set(words)) < len(words):
            wrong.append(f"{key} names a word twice")
        if not all(word.strip() for word in words):
            wrong.append(f"{key} has an empty word")
    if bool(question.target_words) != bool(question.foil_words):
        wrong.append("target_words and foil_words go together: give both, or none")
    both = set(question.target_words) & set(question.foil_words)
    if both:
        wrong.append(f"{min(both)!r} stands in target_words and in foil_words")
    if question.has_words and not question.template:
        wrong.append("target_words need a template to stand in")
    if question.template and not question.has_words:
        wrong.append("template needs target_words and foil_words")
    if question.held_out_templates and not question.template:
        wrong.append("held_out_templates need a template and words")
    crossed, words = question.crossed, (question.target, question.foil)
    factors = crossed.wrong(*words, question.template) if crossed else ()
    return [*wrong, *_wrong_pairs(question), *factors]


def _wrong_pairs(question: Question) -> "Iterator[str]":
    """A pair that stands twice would choose a neuron and confirm it, too."""
    words = question.target, question.foil
    places = {same(question.clean, question.corrupted, *words): "the question's own"}
    for number, pair in enumerate(question.pairs):
        if pair.clean == pair.corrupted:
            yield f"pairs.{number}: clean and corrupted are identical: change one word"
        key = same(pair.clean, pair.corrupted, pair.target or words[0], pair.foil or words[1])
        if key in places:
            yield f"pairs.{number} is the same as {places[key]}: leave one out"
        places.setdefault(key, f"pairs.{number}")
