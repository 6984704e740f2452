"""Experiment 1: what does the model say next?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.contrast import Contrast
from analysis.engines.answers import word_probabilities
from analysis.inputs import Inputs
from analysis.progress import Progress
from analysis.prompts import Prompt, going_on, make_prompt
from analysis.result import Result
from analysis.subject import Subject

TOP = 10


@dataclass(frozen=True)
class NextToken(Result):
    """The next-token distribution after each prompt.

    Attributes:
        prompts: the texts: the question's own, clean before corrupted, then ordinary prose that
            calls for the target.
        natural: how many of them are ordinary prose.
        tokens: their tokens as text.
        target: the token asked for.
        foil: the token it competes with.
        top_tokens: the likeliest tokens after the first prompt, likeliest first.
        top_probabilities: probability of those tokens after every prompt.
        p_target: probability of the target.
        p_foil: probability of the foil.
        rank_target: rank of the target, 1 for the likeliest; of several tokens in a row the last
            of their ranks, so that 1 is what the model writes if it takes the likeliest each time.
        rank_foil: rank of the foil.
        logit_diff: logit of the target minus logit of the foil; where one is several tokens long,
            log p(target) - log p(foil), which of single tokens is the same.
        target_tokens: the target's tokens as text, where one of the two is several tokens long.
        foil_tokens: the foil's.
        target_logs: log p of each of them after every prompt and the tokens before, in nats.
        foil_logs: of the foil's.
    """

    prompts: tuple[str, ...]
    natural: int
    tokens: tuple[tuple[str, ...], ...]
    target: str
    foil: str
    top_tokens: tuple[str, ...]
    top_probabilities: Float[np.ndarray, "prompt top"]
    p_target: Float[np.ndarray, " prompt"]
    p_foil: Float[np.ndarray, " prompt"]
    rank_target: Int[np.ndarray, " prompt"]
    rank_foil: Int[np.ndarray, " prompt"]
    logit_diff: Float[np.ndarray, " prompt"]
    target_tokens: tuple[str, ...] = ()
    foil_tokens: tuple[str, ...] = ()
    target_logs: tuple[tuple[float, ...], ...] = ()
    foil_logs: tuple[tuple[float, ...], ...] = ()


def run(subject: Subject, inputs: Inputs, _progress: Progress) -> NextToken:
    """What follows the question's prompts, and ordinary prose that calls for the target."""
    question = inputs.question
    calling = [each.text for each in question.natural if each.calls_for == "target"]
    natural = tuple(make_prompt(subject, text) for text in calling)
    return next_token(subject, question.prompts(subject), question.contrast(subject), natural)


def in_prose(result: NextToken) -> slice:
    """Where the prompts of ordinary prose stand."""
    return slice(len(result.prompts) - result.natural, None)


def summary(result: NextToken) -> dict[str, Any]:
    """What follows the first prompt, and the answer to the second, in plain values."""
    likely = zip(result.top_tokens, result.top_probabilities[0], strict=True)
    answer: dict[str, Any] = {
        "prompt": result.prompts[0],
        "bos": result.tokens[0][0] if _starts_with_bos(result) else None,
        "tokens": result.tokens[0],
        "top": [{"token": token, "probability": float(p)} for token, p in likely],
        **_answer(result, 0),
    }
    prose = in_prose(result)
    if prose.start > 1:
        answer["corrupted"] = {"prompt": result.prompts[1], **_answer(result, 1)}
    answer["natural"] = {
        "prompts": result.natural,
        "target_preferred": int((result.logit_diff[prose] > 0).sum()),
        "target_first": int((result.rank_target[prose] == 1).sum()),
    }
    return answer


def _starts_with_bos(result: NextToken) -> bool:
    made = result.provenance
    return bool(made and made.inputs["prepend_bos"])


def _answer(result: NextToken, index: int) -> dict[str, Any]:
    names = ("p_target", "p_foil", "rank_target", "rank_foil", "logit_diff")
    answer = {name: getattr(result, name)[index].item() for name in names}
    if result.target_tokens:
        answer["by_token"] = {
            "target": _by_token(result.target_tokens, result.target_logs[index]),
            "foil": _by_token(result.foil_tokens, result.foil_logs[index]),
        }
    return answer


def _by_token(tokens: Sequence[str], logs: Sequence[float]) -> list[dict[str, Any]]:
    """Log p of each token after those before it."""
    return [{"token": token, "log_p": log} for token, log in zip(tokens, logs, strict=True)]


def next_token(
    subject: Subject,
    prompts: Sequence[Prompt],
    contrast: Contrast,
    natural: Sequence[Prompt] = (),
    top: int = TOP,
) -> NextToken:
    """Read the next-token distribution after each of one or more prompts, and after prose."""
    prompts = (*prompts, *natural)
    make = _of_words if contrast.is_long else _of_tokens
    logits, answers = make(subject, prompts, contrast)
    probabilities = logits.softmax(-1)
    likeliest = logits[0].topk(min(top, subject.d_vocab)).indices
    return NextToken(
        prompts=tuple(prompt.text for prompt in prompts),
        natural=len(natural),
        tokens=tuple(prompt.strings for prompt in prompts),
        target=contrast.target,
        foil=contrast.foil,
        top_tokens=tuple(subject.string(int(token)) for token in likeliest),
        top_probabilities=probabilities[:, likeliest].cpu().numpy(),
        **answers,
    )


def _of_tokens(
    subject: Subject, prompts: Sequence[Prompt], contrast: Contrast
) -> tuple[Float[Tensor, "prompt d_vocab"], dict[str, Any]]:
    """Logits of the next token, and the answers where that is the target, the foil or neither."""
    logits = torch.stack([subject.logits(prompt.tokens)[-1] for prompt in prompts])
    p_target, p_foil = contrast.shares(logits.softmax(-1))
    target, foil = contrast.logits(logits)
    return logits, {
        "p_target": p_target.cpu().numpy(),
        "p_foil": p_foil.cpu().numpy(),
        "rank_target": (1 + (logits > target[:, None]).sum(-1)).cpu().numpy(),
        "rank_foil": (1 + (logits > foil[:, None]).sum(-1)).cpu().numpy(),
        "logit_diff": (target - foil).cpu().numpy(),
    }


def _of_words(
    subject: Subject, prompts: Sequence[Prompt], contrast: Contrast
) -> tuple[Float[Tensor, "prompt d_vocab"], dict[str, Any]]:
    """The same where one of the two is several tokens long."""
    for prompt in prompts:
        going_on(subject, prompt, contrast)
    targets, foils = zip(
        *(word_probabilities(subject, p.tokens, contrast) for p in prompts), strict=True
    )
    fields: dict[str, Any] = {}
    for side, found in (("target", targets), ("foil", foils)):
        fields[f"p_{side}"] = _stacked([each.log_p.exp() for each in found])
        fields[f"rank_{side}"] = _stacked([each.rank_by_token.max() for each in found])
        fields[f"{side}_tokens"] = tuple(map(subject.string, found[0].tokens))
        fields[f"{side}_logs"] = tuple(tuple(each.log_p_by_token.tolist()) for each in found)
    pairs = zip(targets, foils, strict=True)
    fields["logit_diff"] = _stacked([target.log_p - foil.log_p for target, foil in pairs])
    return torch.stack([each.next_logits for each in targets]), fields


def _stacked(values: list[Tensor]) -> np.ndarray:
    return torch.stack(values).cpu().numpy()
