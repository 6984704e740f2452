"""A visitor's prompts, tokens and neuron, checked against the model."""

from analysis.errors import UserError
from analysis.neuron import Neuron, parse_neuron
from analysis.question import Contrast, Prompt, PromptPair, make_contrast, make_pair, make_prompt
from analysis.subject import Subject
from space.settings import LONGEST, PAIR_TOKENS
from space.view import View


def prompt(subject: Subject, text: str, what: str) -> Prompt:
    """One text.

    Raises:
        UserError: it is empty or too long.
    """
    made = make_prompt(subject, text, what)
    length = len(made.tokens)
    if length > LONGEST:
        raise UserError(f"The {what} has {length} tokens: the longest allowed is {LONGEST}.")
    return made


def pair(subject: Subject, view: View) -> PromptPair:
    """The two prompts, aligned.

    Raises:
        UserError: they do not make a pair, or are too long.
    """
    made = make_pair(subject, view.clean, view.corrupted, view.target, view.foil)
    if len(made.clean.tokens) > PAIR_TOKENS:
        raise UserError(
            f"The prompts have {len(made.clean.tokens)} tokens: the longest pair allowed here has "
            f"{PAIR_TOKENS}: shorten both, or use the command line."
        )
    return made


def neuron(subject: Subject, view: View) -> Neuron:
    """The neuron.

    Raises:
        UserError: there is no such neuron.
    """
    return parse_neuron(view.neuron, subject.n_layers, subject.d_mlp)


def contrast(subject: Subject, view: View) -> Contrast:
    """Target and foil.

    Raises:
        UserError: one of them is not a single token.
    """
    return make_contrast(subject, view.target, view.foil)
