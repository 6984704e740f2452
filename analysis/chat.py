"""Prompts as a user's turn in a model's own chat template, up to where its answer begins."""

from analysis.errors import UserError, first_line
from analysis.questions import Question
from analysis.subject import Subject


def rendered(subject: Subject, text: str, system: str | None = None) -> str:
    """The text that a model tuned on chats reads where a user says this.

    The assistant's turn is begun, so that what comes next is its answer. A BOS that the model gets
    before every prompt is left out, as it comes by itself.

    Args:
        subject: the model.
        text: what the user says.
        system: a system prompt; without one, the template's own if it has one.

    Raises:
        UserError: the model has no chat template, or this cannot be put into it.
    """
    tokenizer, name = subject.tokenizer, subject.origin.name
    if not tokenizer.chat_template:
        raise UserError(f"{name} has no chat template: leave out --chat, or take a tuned model.")
    turns = [] if system is None else [{"role": "system", "content": system}]
    turns.append({"role": "user", "content": text})
    try:
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    except Exception as error:  # a template is a program of its own, and raises what it likes
        raise UserError(
            f"The chat template of {name} takes no such turns: {first_line(error)}."
        ) from error
    own = str(tokenizer.bos_token or "") if subject.prepend_bos else ""
    return str(text).removeprefix(own)


def in_chat(subject: Subject, question: Question, system: str | None = None) -> Question:
    """The same question with all of its prompts and sentences so rendered.

    Factors to cross are left out: an example before a frame is no turn of its own.

    Raises:
        UserError: the model has no chat template, or one of them cannot be put into it.
    """
    if question.template and set(system or "") & set("{}"):
        raise UserError(
            "The system prompt has braces, which in a question with words mark their place: leave "
            "them out, or ask of --clean and --corrupted alone."
        )

    def turn(text: str) -> str:
        return rendered(subject, text, system) if text else ""

    parts = {name: getattr(question, name) for name in type(question).model_fields}
    pairs = [
        {**pair.model_dump(), "clean": turn(pair.clean), "corrupted": turn(pair.corrupted)}
        for pair in question.pairs
    ]
    natural = [{**each.model_dump(), "text": turn(each.text)} for each in question.natural]
    return Question(
        **{
            **parts,
            **{name: turn(parts[name]) for name in ("clean", "corrupted", "template")},
            "held_out_templates": tuple(map(turn, question.held_out_templates)),
            "pairs": pairs,
            "natural": natural,
            "examples": (),
            "crossed": None,
            "name": "",
            "source": "",
        }
    )
