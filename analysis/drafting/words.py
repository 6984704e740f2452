"""Words in one sentence: which of them make pairs, and which pairs the model tells apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.contrast import Contrast
from analysis.criteria import GAP
from analysis.engines.answers import answers
from analysis.errors import UserError
from analysis.progress import Progress, silent
from analysis.prompts import make_prompt
from analysis.questions.question import matched
from analysis.subject import Subject


@dataclass(frozen=True)
class WordPair:
    """Two prompts that differ in a word, and the model's choice after each, in logits."""

    clean: str
    corrupted: str
    clean_word: str
    corrupted_word: str
    clean_diff: float
    corrupted_diff: float

    @property
    def gap(self) -> float:
        """How far the word moves the choice towards the target."""
        return self.clean_diff - self.corrupted_diff


@dataclass(frozen=True)
class Dropped:
    """A word, or two, that make no pair.

    Attributes:
        words: which.
        why: ``no_partner`` of as many tokens, ``unequal`` in the sentence, or ``not_told_apart`` by
            the model.
        tokens: how many tokens the word has.
        gap: of a pair that is not told apart, in logits; else None.
    """

    words: tuple[str, ...]
    why: str
    tokens: int
    gap: float | None = None


@dataclass(frozen=True)
class Tried:
    """What became of two lists of words: pairs that the model tells apart, and the rest."""

    pairs: tuple[WordPair, ...]
    dropped: tuple[Dropped, ...]


def try_words(
    subject: Subject,
    template: str,
    target_words: Sequence[str],
    foil_words: Sequence[str],
    contrast: Contrast,
    progress: Progress = silent,
) -> Tried:
    """Pair words of as many tokens in list order, and keep the pairs that the model tells apart.

    A pair is told apart when the choice moves by at least ``criteria.GAP`` towards the target.

    Args:
        subject: the model.
        template: a sentence with ``{}`` for the word.
        target_words: words that should call for the target.
        foil_words: words that should call for the foil.
        contrast: target and foil.
        progress: told the finished fraction.

    Raises:
        UserError: the template has no slot, a group is empty, or a word stands in both.
    """
    _check(template, target_words, foil_words)
    words = [*matched(subject, target_words, foil_words)]
    made = [(pair, [make_prompt(subject, template.format(w)) for w in pair]) for pair in words]
    even = [each for each in made if len({len(prompt.tokens) for prompt in each[1]}) == 1]
    prompts = [prompt.tokens for _, both in even for prompt in both]
    diffs = answers(subject, prompts, contrast, progress).reshape(-1, 2).tolist() if even else []
    tried = [
        WordPair(clean.text, corrupted.text, *pair, *diff)
        for (pair, (clean, corrupted)), diff in zip(even, diffs, strict=True)
    ]
    return Tried(
        pairs=tuple(each for each in tried if each.gap >= GAP),
        dropped=(
            *_partnerless(subject, target_words, [first for first, _ in words]),
            *_partnerless(subject, foil_words, [second for _, second in words]),
            *(
                Dropped(each[0], "unequal", _size(subject, each[0][0]))
                for each in made
                if each not in even
            ),
            *(_not_told_apart(subject, each) for each in tried if each.gap < GAP),
        ),
    )


def check_template(text: str) -> None:
    """Refuse a sentence without the one slot for its word.

    Raises:
        UserError: it has none, or several.
    """
    if text.count("{}") != 1 or text.count("{") != 1 or text.count("}") != 1:
        raise UserError(f"The template {text[:60]!r} needs {{}} once, where the word goes.")


def _check(template: str, target_words: Sequence[str], foil_words: Sequence[str]) -> None:
    check_template(template)
    if not target_words or not foil_words:
        raise UserError("Words of both kinds are needed: give --target-words and --foil-words.")
    both = {*target_words} & {*foil_words}
    if both:
        raise UserError(f"{min(both)!r} stands in both lists of words: keep it in one.")
    for words in (target_words, foil_words):
        if len({*words}) < len(words):
            raise UserError("A list names a word twice: keep it once.")


def _partnerless(subject: Subject, words: Sequence[str], used: list[str]) -> list[Dropped]:
    left = [word for word in words if word not in used]
    return [Dropped((word,), "no_partner", _size(subject, word)) for word in left]


def _not_told_apart(subject: Subject, pair: WordPair) -> Dropped:
    words = pair.clean_word, pair.corrupted_word
    return Dropped(words, "not_told_apart", _size(subject, pair.clean_word), pair.gap)


def _size(subject: Subject, word: str) -> int:
    """Its tokens inside a sentence."""
    return len(subject.pieces(" " + word))
