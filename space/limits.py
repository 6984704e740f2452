"""What visitors may ask at most, so that none keeps the others waiting: tokens, and work."""

from collections.abc import Iterator

from analysis.commands import reads_prompts
from analysis.cost import Cost, cost
from analysis.declaration import Experiment
from analysis.errors import UserError
from analysis.inputs import Inputs
from analysis.prompts import make_prompt
from analysis.subject import Subject
from space.settings import LONGEST, PAIR_TOKENS


class TooDearError(UserError):
    """What is asked would take longer than one answer may."""


def check(subject: Subject, experiment: Experiment, inputs: Inputs) -> None:
    """Refuse texts that are too long for one visitor among many.

    Raises:
        UserError: one is, or is empty where it may not be.
    """
    question, needs = inputs.question, experiment.needs
    if "pair" in needs:
        sizes = [len(make_prompt(subject, text, what).tokens) for what, text in _prompts(inputs)]
        if max(sizes) > PAIR_TOKENS:
            raise UserError(
                f"The prompts have {max(sizes)} tokens: the longest pair allowed here has "
                f"{PAIR_TOKENS}: shorten both, or use the command line."
            )
    elif reads_prompts(experiment, question.target, question.foil):
        _check_text(subject, question.clean, "clean prompt")
        _check_text(subject, question.corrupted, "corrupted prompt")
    for option in experiment.options:
        if option.kind is str:
            _check_text(subject, inputs[option.name] or "", option.name.replace("_", " "))


def afford(
    subject: Subject, experiment: Experiment, inputs: Inputs, rate: float, most: int
) -> None:
    """Refuse what would keep all others waiting.

    Args:
        subject: the model.
        experiment: what is asked.
        inputs: what it is asked.
        rate: passes of a token through a layer in a second.
        most: passes that one answer may take.

    Raises:
        TooDearError: it would take more.
    """
    estimate = cost(experiment, subject, inputs, rate, most)
    if estimate.passes > most:
        cheaper = f"{estimate.cheaper}, or " if estimate.cheaper else ""
        longest = Cost(most, most / rate).time
        raise TooDearError(
            f"This would take about {estimate.time} here ({estimate.passes:,} passes of a token "
            f"through a layer), and one answer may take {longest}: {cheaper}use the command line."
        )


def _prompts(inputs: Inputs) -> Iterator[tuple[str, str]]:
    """What each prompt of a pair is, and its text: the question's own, and those that confirm."""
    question = inputs.question
    yield "clean prompt", question.clean
    yield "corrupted prompt", question.corrupted
    if not inputs.options.get("held_out"):
        return
    for pair in question.pairs:
        yield "clean prompt", pair.clean
        yield "corrupted prompt", pair.corrupted
    for word in (*question.target_words, *question.foil_words):
        yield "sentence", question.template.format(word)


def _check_text(subject: Subject, text: str, what: str) -> None:
    size = len(subject.tokens(text))
    if size > LONGEST:
        raise UserError(f"The {what} has {size} tokens: the longest allowed is {LONGEST}.")
