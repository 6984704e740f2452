"""The ways in which a prompt can be given: with BOS or without it, and as a turn of a chat."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from analysis.engines.shared_beginning import ends
from analysis.errors import UserError
from analysis.experiments.robustness.measured import Measured, measure
from analysis.neuron import Neuron
from analysis.prompts import make_pair, make_prompt
from analysis.questions import Question
from analysis.subject import Subject

PLAIN, CHAT = "as it is", "in the chat template"
WITH_BOS, WITHOUT_BOS = "with BOS", "without BOS"


@dataclass(frozen=True)
class Format:
    """One way to give a text: the model with its BOS policy, and what becomes of the text."""

    name: str
    subject: Subject
    write: Callable[[str], str]


@dataclass(frozen=True)
class ReadFormats:
    """What every format gave.

    Attributes:
        names: of the formats.
        missing: those that the model does not have, or in which it does not tell the pair apart.
        given: the clean prompt as it is read.
        measured: the neuron's patch.
        values: activation and logit difference at the end of the pair's sentence with every word.
    """

    names: tuple[str, ...]
    missing: tuple[str, ...]
    given: tuple[str, ...]
    measured: tuple[Measured, ...]
    values: Float[np.ndarray, "2 format word"]


def formats(subject: Subject, text: str) -> Iterator[Format]:
    """All formats that this model has: as everywhere else, BOS changed over, the chat template.

    In the last the text is the beginning of the assistant's own turn, so that no words are added
    but those of the template.

    Args:
        subject: the model.
        text: one to try the template with.
    """
    yield Format(PLAIN, subject, str)
    bos = subject.tokenizer.bos_token
    if bos is not None:
        other = replace(subject, prepend_bos=not subject.prepend_bos)
        yield Format(WITHOUT_BOS if subject.prepend_bos else WITH_BOS, other, str)
    chat = _chat(subject)
    try:
        begins = chat(text)
    except Exception:  # a template is a program of its own, and raises what it likes
        return
    again = subject.prepend_bos and not begins.startswith(str(bos))
    yield Format(CHAT, replace(subject, prepend_bos=again), chat)


def _chat(subject: Subject) -> Callable[[str], str]:
    """Writes a text as the beginning of the assistant's turn; fails where there is no template."""

    def write(text: str) -> str:
        turn = [{"role": "assistant", "content": text}]
        return str(
            subject.tokenizer.apply_chat_template(turn, tokenize=False, continue_final_message=True)
        )

    return write


def read_formats(
    subject: Subject,
    question: Question,
    neuron: Neuron,
    words: tuple[Sequence[str], Sequence[str]],
) -> ReadFormats:
    """Patch the neuron in the pair, and read it and the answer after every word, in each format.

    Args:
        subject: the model.
        question: pair and sentence.
        neuron: the neuron.
        words: those that call for the target, and the others; none where there is no sentence.

    Raises:
        UserError: the pair cannot be asked of the model as it is.
    """
    names, given, measured, values = [], [], [], []
    texts = [question.template.format(word) for group in words for word in group]
    for form in formats(subject, question.clean):
        clean, corrupted = map(form.write, (question.clean, question.corrupted))
        try:
            pair = make_pair(form.subject, clean, corrupted, question.target, question.foil, False)
            found = measure(form.subject, neuron, pair)
        except UserError:
            if form.name == PLAIN:
                raise
            continue
        prompts = [make_prompt(form.subject, form.write(text)).tokens for text in texts]
        end = ends(form.subject, prompts, neuron, 0.0, pair.contrast)
        names.append(form.name)
        given.append("".join(pair.clean.strings))
        measured.append(found)
        values.append([end.activation, end.logit_diff])
    table = np.array(values, dtype=np.float32).reshape(len(names), 2, len(texts))
    known = (WITHOUT_BOS if subject.prepend_bos else WITH_BOS, CHAT)
    absent = tuple(name for name in known if name not in names)
    return ReadFormats(tuple(names), absent, tuple(given), tuple(measured), table.swapaxes(0, 1))
