"""The model's choice between two words at the end of prompts, and what it says of either."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.reading import Window, batches, read
from analysis.progress import Progress, silent
from analysis.subject import Subject


def answers(
    subject: Subject,
    prompts: Sequence[tuple[int, ...]],
    contrast: Contrast,
    progress: Progress = silent,
) -> Float[Tensor, " prompt"]:
    """logit(target) - logit(foil) after the last token of every prompt, in logits.

    Of words of several tokens it is log p(target) - log p(foil), and a pass or two for each prompt.

    Args:
        subject: the model.
        prompts: the tokens of each.
        contrast: target and foil.
        progress: told the finished fraction.

    Raises:
        UserError: a logit is not finite.
    """
    found = [torch.zeros(0, device=subject.device)]
    if contrast.is_long:
        for i, tokens in enumerate(prompts, start=1):
            target, foil = word_probabilities(subject, tokens, contrast)
            found.append((target.log_p - foil.log_p)[None])
            progress(i / len(prompts))
        return torch.cat(found)
    for batch in batches(Window(i, 0, tokens) for i, tokens in enumerate(prompts)):
        reading = read(subject, batch)
        last = reading.logits[reading.window.bincount().cumsum(0) - 1].float()
        found.append(contrast.of(last))
        progress((batch[-1].document + 1) / len(prompts))
    return torch.cat(found)


@dataclass(frozen=True)
class WordProbability:
    """What a model says of a word behind a prompt.

    Attributes:
        tokens: of the word.
        log_p: log p(word), the sum of ``log_p_by_token``.
        log_p_by_token: log p(token | the prompt and the tokens before).
        rank_by_token: how many tokens are likelier there, and one more.
        next_logits: all logits of the next token.
    """

    tokens: tuple[int, ...]
    log_p: Float[Tensor, ""]
    log_p_by_token: Float[Tensor, " token"]
    rank_by_token: Int[Tensor, " token"]
    next_logits: Float[Tensor, " d_vocab"]


def word_probabilities(
    subject: Subject, tokens: Sequence[int], contrast: Contrast
) -> tuple[WordProbability, WordProbability]:
    """What the plain model says of target and foil, either of them several tokens long.

    Raises:
        UserError: a logit is not finite.
    """
    target, foil = (_word_probability(subject, tokens, word) for word in contrast.words)
    return target, foil


def _word_probability(
    subject: Subject, tokens: Sequence[int], word: tuple[int, ...]
) -> WordProbability:
    logits = subject.logits((*tokens, *word[:-1]))[-len(word) :]
    own = logits[range(len(word)), list(word)]
    logs = own - logits.logsumexp(-1)
    ranks = 1 + (logits > own[:, None]).sum(-1)
    return WordProbability(word, logs.sum(), logs, ranks, logits[0])
