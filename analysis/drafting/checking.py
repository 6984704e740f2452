"""Whether a model can be asked a question, and which of its pairs it tells apart."""

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.criteria import GAP
from analysis.engines.answers import answers
from analysis.errors import UserError
from analysis.progress import Progress, silent
from analysis.prompts import PromptPair, check_length, make_pair
from analysis.questions import Question
from analysis.questions.question import matched
from analysis.subject import Subject


def checked(subject: Subject, question: Question, progress: Progress = silent) -> dict[str, Any]:
    """What a model makes of a question, in plain values.

    Args:
        subject: the model.
        question: the question.
        progress: told the finished fraction.

    Raises:
        UserError: the model cannot be asked it; all that is wrong is named.
    """
    wrong = list(_wrong(subject, question))
    if wrong:
        raise UserError("; ".join(each.rstrip(".") for each in wrong) + ".")
    pairs = [question.pair(subject), *question.other_pairs(subject)] if question.corrupted else []
    rows = _prompt_rows(subject, pairs, progress)
    alone = _without_partner(subject, question)
    return {
        "name": question.label,
        "target": question.target,
        "foil": question.foil,
        "pairs": len(rows),
        "told_apart": sum(row["told_apart"] for row in rows),
        "threshold": GAP,
        "without_partner": alone,
        "unreadable": [
            {"pair": f"pairs.{place}", "why": why}
            for place, why in unreadable(subject, question).items()
        ],
        "prompts": rows,
    }


def narrow(subject: Subject, question: Question, found: Mapping[str, Any]) -> Iterator[str]:
    """What a question can hardly be asked, a sentence each, by what ``checked`` found."""
    if question.contrast(subject).is_long:
        yield (
            "Its target or foil is several tokens long: `library`, and whatever else reads the next"
            " token alone, refuses it."
        )
    if found["pairs"] and not found["told_apart"]:
        yield "The model tells none of its pairs apart, so there is nothing that a neuron explains."


def unreadable(subject: Subject, question: Question) -> dict[int, str]:
    """Why pairs that are written out cannot be asked of a model, by their place, from 0."""
    found, contrast = {}, question.contrast(subject)
    for place, pair in enumerate(question.pairs):
        words = pair.target or question.target, pair.foil or question.foil
        try:
            made = make_pair(subject, pair.clean, pair.corrupted, *words)
        except UserError as error:
            found[place] = str(error)
            continue
        if made.contrast.is_long and not contrast.is_long:
            found[place] = "Its words are several tokens long, and the question's are not."
    return found


def _wrong(subject: Subject, question: Question) -> "list[str]":
    """All that keeps the model from being asked, a sentence each."""
    found = []

    def attempt(ask: Any, *given: Any) -> None:
        try:
            ask(*given)
        except UserError as error:
            found.append(str(error))

    attempt(question.contrast, subject)
    attempt(question.pair if question.corrupted else question.prompt, subject)
    sentences = [question.template, *question.held_out_templates] if question.has_words else []
    longest = max((*question.target_words, *question.foil_words), key=len, default="")
    for sentence in sentences:
        text = sentence.format(longest)
        attempt(check_length, subject, subject.tokens(text), f"sentence {sentence[:60]!r}")
    for prose in question.natural:
        attempt(check_length, subject, subject.tokens(prose.text), f"prose {prose.text[:60]!r}")
    return list(dict.fromkeys(found))


def _prompt_rows(
    subject: Subject, pairs: list[PromptPair], progress: Progress
) -> list[dict[str, Any]]:
    """The choice after both prompts of every pair; a pair may have words of its own."""
    rows = []
    for i, pair in enumerate(pairs, start=1):
        prompts = [pair.clean.tokens, pair.corrupted.tokens]
        clean, corrupted = answers(subject, prompts, pair.contrast).tolist()
        rows.append(
            {
                "clean": pair.clean.text,
                "corrupted": pair.corrupted.text,
                "target": pair.contrast.target,
                "foil": pair.contrast.foil,
                "clean_diff": clean,
                "corrupted_diff": corrupted,
                "told_apart": clean - corrupted >= GAP,
            }
        )
        progress(i / len(pairs))
    return rows


def _without_partner(subject: Subject, question: Question) -> list[str]:
    """Words that no word of the other group matches in number of tokens."""
    pairs = [*matched(subject, question.target_words, question.foil_words)]
    used = {word for pair in pairs for word in pair}
    return [w for w in (*question.target_words, *question.foil_words) if w not in used]
