"""The texts that a transplant learns from, and those it is judged on."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.contrast import Contrast
from analysis.errors import UserError
from analysis.questions import Question
from analysis.subject import Subject

CONTEXT = 30
"""Tokens of the recipient before a target or foil in an article."""

FILLERS = 400
"""Words of articles that stand in the sentence of the pair, at most."""

FILLERS_EACH = 12
"""Of them for each place in articles: who asks for little waits little."""

ARTICLES = 200
"""Of which words are taken for the sentence of the pair."""

MOST = 6000
"""Characters of an article that are read."""

WORDS, TEMPLATES, NATURAL = GROUNDS = ("words", "templates", "natural")
"""What is judged on: other words in the pair's sentence, such words in other sentences, and other
articles."""


@dataclass(frozen=True)
class Text:
    """A text at whose end target or foil is called for, or an ordinary one.

    Attributes:
        text: the text.
        target: whether the target is called for, else the foil; None where nothing is known.
        ground: one of ``GROUNDS``; empty where nothing is known.
        unit: what is resampled: a word, or the number of an article.
    """

    text: str
    target: bool | None
    ground: str
    unit: str


@dataclass(frozen=True)
class Texts:
    """Texts to learn from and others to judge by; they share no word and no article.

    The sentence of the pair is learnt from with any words of articles in it, too: for what the
    donor's neuron does after them, nobody has to know what they call for.
    """

    learnt: tuple[Text, ...]
    judged: tuple[Text, ...]
    ordinary: tuple[Text, ...]


def gather(
    recipient: Subject,
    question: Question,
    contrast: Contrast,
    articles: Sequence[tuple[int, str]],
    contexts: int,
    seed: int,
) -> Texts:
    """Words by turns, articles by halves.

    Args:
        recipient: whose tokens decide where in an article target and foil stand.
        question: its words and sentences.
        contrast: target and foil as the recipient's tokens.
        articles: numbered texts.
        contexts: of either kind, at most so many to learn from, and as many to judge by; half as
            many ordinary texts, on which costs are measured.
        seed: of the draws.
    """
    order = random.Random(seed).sample(list(articles), len(articles))
    half = len(order) // 2
    learnt = [*_sentences(question, 0), *_contexts(recipient, contrast, order[:half], contexts)]
    learnt += _fillers(question, order[:half], fillers(contexts), seed)
    judged = [*_sentences(question, 1), *_contexts(recipient, contrast, order[half:], contexts)]
    judged += [Text(n.text, n.calls_for == "target", NATURAL, n.text) for n in question.natural]
    plain = _ordinary(recipient, order[half:][::-1], ordinary(contexts), seed)
    return Texts(tuple(learnt), tuple(judged), tuple(plain))


def fillers(contexts: int) -> int:
    """How many words of articles stand in the sentence of the pair, at most."""
    return min(FILLERS, FILLERS_EACH * contexts)


def ordinary(contexts: int) -> int:
    """On how many ordinary texts costs are measured, at most."""
    return max(8, contexts // 2)


def _sentences(question: Question, half: int) -> Iterator[Text]:
    """Every second word in the sentence of the pair; those that judge, in the others too."""
    for target, words in ((True, question.target_words), (False, question.foil_words)):
        for word in words[half::2]:
            yield Text(question.template.format(word), target, WORDS, word)
            for template in question.held_out_templates if half else ():
                yield Text(template.format(word), target, TEMPLATES, word)


def _fillers(
    question: Question, articles: Sequence[tuple[int, str]], many: int, seed: int
) -> Iterator[Text]:
    """Words of the articles in the sentence of the pair, but none of the question's own."""
    own = {word.lower() for word in (*question.target_words, *question.foil_words)}
    words = {w for _, text in articles[:ARTICLES] for w in re.findall(r"(?<= )[a-z]{3,}", text)}
    for word in random.Random(seed).sample(sorted(words - own), min(many, len(words - own))):
        yield Text(question.template.format(word), None, "", word)


def _contexts(
    recipient: Subject, contrast: Contrast, articles: Sequence[tuple[int, str]], many: int
) -> Iterator[Text]:
    """One place before the target and one before the foil an article, the middlemost."""
    left = {True: many, False: many}
    for number, text in articles:
        tokens, spans = recipient.spans(text[:MOST])
        for target, token in ((True, contrast.target_id), (False, contrast.foil_id)):
            places = [i for i, each in enumerate(tokens) if each == token and i > CONTEXT]
            if places and left[target]:
                left[target] -= 1
                place = places[len(places) // 2]
                begin, end = spans[place - CONTEXT][0], spans[place - 1][1]
                yield Text(text[begin:end].lstrip(), target, NATURAL, str(number))
        if not any(left.values()):
            return


def _ordinary(
    recipient: Subject, articles: Sequence[tuple[int, str]], many: int, seed: int
) -> Iterator[Text]:
    """A stretch of each of some articles, wherever it falls."""
    draw = random.Random(seed)
    for number, text in articles[:many]:
        _, spans = recipient.spans(text[:MOST])
        first = draw.randrange(max(1, len(spans) - CONTEXT))
        begin, end = spans[first][0], spans[min(first + CONTEXT, len(spans) - 1)][1]
        if text[begin:end].strip():
            yield Text(text[begin:end].strip(), None, "", str(number))


def check(texts: Texts) -> None:
    """Refuse to judge on nothing.

    Raises:
        UserError: of one kind there are no texts.
    """
    for some in (texts.learnt, texts.judged):
        if not {True, False} <= {text.target for text in some} or not texts.ordinary:
            raise UserError(
                "There are too few words and articles to learn from and to judge by: give a "
                "question that has words, or whose target and foil stand in the corpus."
            )
