"""Natural contexts out of a corpus, and the minimal pairs that one exchanged word makes of them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.contrast import Contrast
from analysis.criteria import GAP
from analysis.drafting.words import WordPair
from analysis.engines.answers import answers
from analysis.errors import UserError
from analysis.progress import Progress, part_of, silent
from analysis.prompts import make_pair
from analysis.subject import Subject
from analysis.token_sets import members

SHORTEST, LONGEST = 4, 24
"""Tokens of a context: fewer say little, and more are no longer one sentence."""

LONGEST_TEXT = 100
"""Characters of a context: about as many."""

READ = 40
"""Contexts of each word that the model is asked about; they are spread over the corpus."""

TRIED = 24
"""Words that are exchanged in one context, those that a gradient ranks highest."""

AT_ONE_PLACE = 6
"""Of those at most so many stand in one place."""

EXPECTED = 200
"""A word fits where it is among so many that the model finds likeliest there."""

_SENTENCE = re.compile(r"[^.!?\n]+")
_WORD = re.compile(r" [a-z]{3,}")


@dataclass(frozen=True)
class Context:
    """Text of a corpus that ends where target or foil follows.

    Attributes:
        text: from the beginning of the sentence.
        follows: the token that follows there.
        logit_diff: the model's choice, logit(target) - logit(foil).
    """

    text: str
    follows: str
    logit_diff: float


def contexts(
    subject: Subject, texts: Sequence[str], contrast: Contrast, progress: Progress = silent
) -> tuple[Context, ...]:
    """Where target and foil stand in a corpus, those first after which the model is surest.

    Args:
        subject: the model.
        texts: documents of the corpus.
        contrast: target and foil.
        progress: told the finished fraction.

    Raises:
        UserError: neither word stands in the corpus behind enough of a sentence.
    """
    found = []
    for words in (contrast.target, contrast.foil):
        before = dict.fromkeys(text for word in members(words) for text in _before(texts, word))
        places = [place for place in before if len(place) <= LONGEST_TEXT]
        found += [(text, words) for text in places[:: max(1, len(places) // READ)][:READ]]
    behind = [(text, word, tuple(subject.tokens(text))) for text, word in found]
    behind = [each for each in behind if SHORTEST <= len(each[2]) <= min(LONGEST, subject.context)]
    behind.sort(key=lambda each: len(each[2]))  # so that batches hold little padding
    if not behind:
        raise UserError(
            f"Neither {contrast.target!r} nor {contrast.foil!r} stands in the corpus behind "
            "the beginning of a sentence: give a template and words."
        )
    diffs = answers(subject, [tokens for *_, tokens in behind], contrast, progress).tolist()
    made = [Context(text, word, diff) for (text, word, _), diff in zip(behind, diffs, strict=True)]
    sure = {contrast.target: 1, contrast.foil: -1}
    return tuple(sorted(made, key=lambda each: -sure[each.follows] * each.logit_diff))


def _before(texts: Sequence[str], word: str) -> Iterator[str]:
    """What stands in front of a word, from the beginning of its sentence.

    A mark stands in front of a word or of space: with another mark it might be one token.
    """
    behind = r"(?!\w)" if re.search(r"\w$", word) else r"(?=\w|\s|$)"
    ends = re.compile(re.escape(word) + behind)
    for text in texts:
        for sentence in _SENTENCE.finditer(text):
            line = sentence[0].strip()
            hit = ends.search(line)
            if hit and hit.start():
                yield line[: hit.start()]


def minimal_pairs(
    subject: Subject,
    found: Sequence[Context],
    texts: Sequence[str],
    contrast: Contrast,
    progress: Progress = silent,
) -> tuple[WordPair, ...]:
    """One word exchanged in each context, so that the answer moves from target to foil the most.

    Only words are tried that the model expects in that place, so that the sentence stays one; of
    those the ones that the gradient of the answer at the embeddings prefers (Ebrahimi and others,
    "HotFlip", 2018). Each is then asked for. Words are those of the corpus, a token long, so that
    both prompts have as many tokens.

    Args:
        subject: the model.
        found: contexts that call for the target.
        texts: documents whose words may be put in.
        contrast: target and foil.
        progress: told the finished fraction.

    Returns:
        The best pair of each context that has one, the largest gap first.
    """
    words = {*_words(subject, texts, contrast)}
    best = []
    for i, context in enumerate(found):
        part = part_of(progress, i / len(found), (i + 1) / len(found))
        pairs = _exchanged(subject, context.text, words, contrast)
        rows = [pair[2] for pair in pairs]
        diffs = answers(subject, rows, contrast, part).tolist() if rows else []
        tried = [
            WordPair(context.text, text, *exchange, context.logit_diff, diff)
            for (text, exchange, _), diff in zip(pairs, diffs, strict=True)
        ]
        best += sorted(tried, key=lambda each: -each.gap)[:1]
    return tuple(sorted((b for b in best if b.gap >= GAP), key=lambda each: -each.gap))


def _words(subject: Subject, texts: Sequence[str], contrast: Contrast) -> list[int]:
    """Whole words of the corpus that are one token, but for target and foil."""
    seen = {token for text in texts for token in subject.tokens(text)}
    seen -= {*contrast.targets, *contrast.foils}
    return [token for token in sorted(seen) if _WORD.fullmatch(subject.string(token))]


Exchanged = tuple[str, tuple[str, str], tuple[int, ...]]
"""The other prompt, the word that went and the one that came, and the prompt's tokens."""


def _exchanged(subject: Subject, text: str, words: set[int], contrast: Contrast) -> list[Exchanged]:
    """The prompts that a gradient finds likeliest to move the answer to the foil."""
    tokens, spans = subject.spans(text)
    lead = len(subject.tokens(text)) - len(tokens)
    gradient, logits = _gradient(subject, subject.tokens(text), contrast)
    made: list[tuple[float, Exchanged]] = []
    for place in range(1 - min(lead, 1), len(tokens)):
        if tokens[place] not in words:
            continue
        expected = logits[lead + place - 1].topk(min(EXPECTED, len(logits[0]))).indices.tolist()
        near = torch.tensor([t for t in expected if t in words and t != tokens[place]] or [0])
        change = subject.W_E[near.to(subject.device)] - subject.W_E[tokens[place]]
        estimates = change.float() @ gradient[lead + place]
        end, old = spans[place][1], subject.string(tokens[place]).strip()
        for number in estimates.argsort()[:AT_ONE_PLACE].tolist():
            new = subject.string(int(near[number])).strip()
            other = text[: end - len(old)] + new + text[end:]
            exchanged = _aligned(subject, text, other, contrast)
            if exchanged is not None:
                made.append((float(estimates[number]), (other, (old, new), exchanged)))
    return [each for _, each in sorted(made, key=lambda m: m[0])[:TRIED]]


def _aligned(subject: Subject, text: str, other: str, contrast: Contrast) -> tuple[int, ...] | None:
    """The other prompt's tokens, if they differ from those of the first in one place alone."""
    try:
        pair = make_pair(subject, text, other, contrast.target, contrast.foil)
    except UserError:
        return None
    return pair.corrupted.tokens if len(pair.differing) == 1 else None


def _gradient(
    subject: Subject, tokens: list[int], contrast: Contrast
) -> tuple[Float[Tensor, "pos d_model"], Float[Tensor, "pos d_vocab"]]:
    """Of the logit difference at the end, at the embeddings of every token; and all logits."""
    kept: list[Tensor] = []

    def start(resid: Tensor, hook: object) -> Tensor:
        kept.append(resid.detach().requires_grad_())
        return kept[0]

    with torch.enable_grad():
        logits = subject.bridge.run_with_hooks(
            subject.batch(tokens), fwd_hooks=[("blocks.0.hook_resid_pre", start)], prepend_bos=False
        )[0]
        difference = contrast.of(logits[-1])
        (gradient,) = torch.autograd.grad(difference, kept)
    return gradient[0].float(), logits.detach()
