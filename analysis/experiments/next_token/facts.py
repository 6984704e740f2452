"""What the model says next: its answer to each prompt, and to ordinary prose."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from analysis.experiments.next_token.compute import NextToken, in_prose
from analysis.grounds import Ground
from analysis.intervals import Share
from analysis.pair_facts import PairFacts, of_pair
from analysis.token_sets import members


@dataclass(frozen=True)
class Answer:
    """What follows one prompt; the rank is the target's, the difference target minus foil."""

    p_target: float
    p_foil: float
    rank: int
    logit_diff: float


@dataclass(frozen=True)
class Natural:
    """Prompts of ordinary prose that call for the target."""

    preferred: int  # after how many of them the target is likelier than the foil
    first: Share  # those after which the target is the likeliest token
    mostly: bool  # whether those are more than half
    half: bool  # whether they are just half
    alone: bool  # whether it is one alone, which says nothing of how often


@dataclass(frozen=True)
class Facts:
    """What follows the prompts."""

    likeliest: str  # the first token after the clean prompt
    probability: float
    clean: Answer  # the answers to the pair; the second None where there is one prompt
    corrupted: Answer | None
    flips: bool  # whether the target is preferred after the clean prompt, the foil after the other
    pair: PairFacts | None  # its choice after both prompts; None where there is one
    tokens: int  # of the clean prompt
    other_tokens: int  # of the corrupted prompt
    # the tokens in which the prompts differ, of the clean and the corrupted one
    exchanged: tuple[tuple[str, str], ...]
    names_target: bool  # whether a prompt contains the target itself
    natural: Natural | None  # ordinary prose; None where there is none


def facts(result: NextToken) -> Facts:
    """Read them off the next-token distributions."""
    own = in_prose(result).start
    clean, *others = (_answer(result, i) for i in range(own))
    corrupted = others[0] if others else None
    pair = result.tokens[:own]
    return Facts(
        likeliest=result.top_tokens[0],
        probability=float(result.top_probabilities[0, 0]),
        clean=clean,
        corrupted=corrupted,
        flips=corrupted is not None and clean.logit_diff > 0 > corrupted.logit_diff,
        pair=of_pair(clean.logit_diff, corrupted.logit_diff) if corrupted else None,
        tokens=len(pair[0]),
        other_tokens=len(pair[-1]),
        exchanged=tuple((a, b) for a, b in zip(pair[0], pair[-1], strict=False) if a != b),
        names_target=_names_target(result, own),
        natural=_natural(result),
    )


def verdicts(result: NextToken) -> dict[str, Any]:
    """Whether the pair leaves anything to explain, in plain values; empty where there is none."""
    pair = facts(result).pair
    return pair.plain() if pair else {}


def grounds(found: Facts, result: NextToken) -> Iterator[Ground]:
    """Prompts are the sample."""
    if found.natural:
        yield Ground("natural", {"prompt": result.natural}, "wilson")


def _names_target(result: NextToken, own: int) -> bool:
    """Whether one of the first prompts has the target, or one of a set, among its tokens."""
    if result.target_tokens:
        return any(result.target in prompt for prompt in result.prompts[:own])
    return any({*members(result.target)} & {*tokens} for tokens in result.tokens[:own])


def _answer(result: NextToken, i: int) -> Answer:
    return Answer(
        float(result.p_target[i]),
        float(result.p_foil[i]),
        int(result.rank_target[i]),
        float(result.logit_diff[i]),
    )


def _natural(result: NextToken) -> Natural | None:
    if not result.natural:
        return None
    prose = in_prose(result)
    first = int((result.rank_target[prose] == 1).sum())
    return Natural(
        preferred=int((result.logit_diff[prose] > 0).sum()),
        first=Share.counted(first, result.natural),
        mostly=2 * first > result.natural,
        half=2 * first == result.natural,
        alone=result.natural == 1,
    )
