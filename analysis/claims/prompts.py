"""What the model says next, before anything is opened up."""

from dataclasses import dataclass

from markupsafe import Markup

from analysis.claims.wording import (
    count,
    number,
    percent,
    plural,
    prompt,
    say,
    share_span,
    signed,
    token,
)
from analysis.evidence import Evidence
from analysis.experiments.next_token import NextToken
from analysis.experiments.patching import Patching
from analysis.numbers.statistics import share_interval


@dataclass(frozen=True)
class Prompts:
    """Claims about the prompt pair and the natural prompts."""

    heading: str
    pair: Markup
    answers: Markup
    difference: Markup
    next_caption: Markup
    natural: Markup
    natural_caption: Markup
    wrong: Markup
    natural_wrong: Markup


def prompts(evidence: Evidence) -> Prompts:
    """Read the claims off the next-token distributions."""
    result = evidence.next_token
    return Prompts(
        heading=_heading(result),
        pair=_pair(evidence.patching),
        answers=_answers(result),
        difference=_difference(result),
        next_caption=_next_caption(result),
        natural=_natural(result),
        natural_caption=_natural_caption(result),
        wrong=_wrong(result),
        natural_wrong=_natural_wrong(result),
    )


def tells_apart(result: NextToken) -> bool:
    """Whether each prompt of the pair gets the answer it calls for."""
    clean, corrupted = result.logit_diff[:2]
    return bool(clean > 0 > corrupted)


def _heading(result: NextToken) -> str:
    if tells_apart(result):
        return "One word changes, and the answer flips"
    return "One word changes, and the answer does not flip"


def _pair(result: Patching) -> Markup:
    both = zip(result.clean_tokens, result.corrupted_tokens, strict=True)
    changed = [(a, b) for a, b in both if a != b]
    here, there = (Markup("").join(map(token, side)) for side in zip(*changed, strict=True))
    told = say(
        "The two prompts have {} tokens each and differ in {}: {} in the clean prompt, {} in the "
        "corrupted one.",
        count(len(result.clean_tokens)),
        plural(len(changed), "token", "tokens"),
        here,
        there,
    )
    if result.target in result.clean_tokens + result.corrupted_tokens:
        return told
    return told + say(" Neither contains {}, which is to come next.", token(result.target))


def _answers(result: NextToken) -> Markup:
    target, foil = token(result.target), token(result.foil)
    clean = (percent(float(result.p_target[0])), percent(float(result.p_foil[0])))
    other = (percent(float(result.p_target[1])), percent(float(result.p_foil[1])))
    told = say(
        "After the clean prompt the model gives {} a probability of {} and {} one of {}; after the "
        "corrupted prompt it is {} and {}.",
        target, clean[0], foil, clean[1], other[0], other[1],
    )  # fmt: skip
    if tells_apart(result):
        return told + say(" So it prefers the right word both times.")
    return told + say(" So it does not prefer the right word both times, and what follows is weak.")


def _difference(result: NextToken) -> Markup:
    clean, corrupted = (float(value) for value in result.logit_diff[:2])
    return say(
        "To put the choice in one number, take the <em>logit</em> (the score a model gives each "
        "token before the scores are turned into probabilities) of {} minus that of {}. It is {} "
        "after the clean prompt and {} after the corrupted one, a gap of {}. Everything below asks "
        "what inside the model makes this gap.",
        token(result.target),
        token(result.foil),
        signed(clean),
        signed(corrupted),
        number(clean - corrupted),
    )


def _next_caption(result: NextToken) -> Markup:
    first, rest = int(result.rank_target[0]), int(result.rank_target[1])
    return say(
        "{} is candidate number {} after the clean prompt and number {} after the corrupted one.",
        token(result.target),
        count(first),
        count(rest),
    )


def _wins(result: NextToken) -> tuple[int, int]:
    """Natural prompts after which the target comes first, and how many there are."""
    ranks = result.rank_target[2:]
    return int((ranks == 1).sum()), len(ranks)


def _natural(result: NextToken) -> Markup:
    wins, trials = _wins(result)
    told = say(
        "{} came first after {} of {} ({}).",
        token(result.target),
        count(wins),
        plural(trials, "prompt", "prompts"),
        share_span(*share_interval(wins, max(trials, 1))),
    )
    if 2 * wins > trials:
        return say("The model does so on most of them: ") + told
    if wins == 0:
        return say("This model never does: ") + told
    best = int(result.rank_target[2:].argmin()) + 2
    shown = prompt(result.prompts[best])
    return say("This model mostly fails: ") + told + say(" It succeeds, for one, after {}.", shown)


def _natural_caption(result: NextToken) -> Markup:
    wins, trials = _wins(result)
    return say(
        "{} comes first after {} of {} prompts that call for it in ordinary prose.",
        token(result.target),
        count(wins),
        count(trials),
    )


def _wrong(result: NextToken) -> Markup:
    if tells_apart(result):
        return say(
            "If the model simply liked {target}, it would like it after both prompts. The control "
            "is the corrupted prompt: with one word exchanged, {target} falls to {rank} and "
            "{share}.",
            target=token(result.target),
            rank=say("rank {}", count(int(result.rank_target[1]))),
            share=percent(float(result.p_target[1])),
        )
    return say(
        "The control is the corrupted prompt, and it was not passed: exchanging one word does not "
        "turn the preference from {} to {}. What makes a gap this one-sided may be no choice "
        "between articles at all.",
        token(result.target),
        token(result.foil),
    )


def _natural_wrong(result: NextToken) -> Markup:
    wins, trials = _wins(result)
    if 2 * wins > trials:
        return say("So the skill is not confined to the one sentence we study.")
    if not tells_apart(result):
        return say("So neither our own sentence nor these are handled well.")
    return say(
        "This is a warning for the rest of the page: what we explain is how the model handles one "
        "kind of sentence well, not how it always handles {}.",
        token(result.target),
    )
