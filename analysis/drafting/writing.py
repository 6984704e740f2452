"""Writes a question as a commented file."""

import json
from collections.abc import Sequence
from pathlib import Path

from analysis.drafting.contexts import Context
from analysis.drafting.words import Dropped, Told
from analysis.errors import UserError

CHOOSING = 12
"""Pairs that choose a neuron together, where there are twice as many."""


def choosing(pairs: int) -> int:
    """How many of so many pairs choose; the others confirm."""
    return min(CHOOSING, (pairs + 1) // 2)


def words_file(
    words: tuple[str, str],
    template: str,
    held_out_templates: Sequence[str],
    pairs: Sequence[Told],
    dropped: Sequence[Dropped],
) -> str:
    """A question of words in a sentence, as TOML.

    Args:
        words: target and foil.
        template: the sentence.
        held_out_templates: other sentences.
        pairs: that the model tells apart; the first is the question's own.
        dropped: words that made none.
    """
    own, *others = pairs
    many = choosing(len(pairs))
    lines = [
        *_heading(words, own),
        "# The sentence of the pair, and other words for it.",
        _split(many, len(pairs)),
        f"template = {_text(template)}",
        f"target_words = {_texts([pair.clean_word for pair in others])}",
        f"foil_words = {_texts([pair.corrupted_word for pair in others])}",
        *[f"# left out: {_told(each)}" for each in dropped],
        "",
        "# Other sentences, written before any neuron is read in them.",
        f"held_out_templates = {_texts(held_out_templates)}",
        "",
        '# Ordinary prose, such as { text = "...", calls_for = "target" }.',
        "natural = []",
    ]
    return "\n".join(lines) + "\n"


def pairs_file(words: tuple[str, str], pairs: Sequence[Told], found: Sequence[Context]) -> str:
    """A question of minimal pairs found in a corpus, as TOML; the first is the question's own."""
    own, *others = pairs
    many = choosing(len(pairs))
    lines = [
        *_heading(words, own),
        "# One word of a sentence of the corpus exchanged, so that the answer moves the most.",
        _split(many, len(pairs)),
        "pairs = [",
        *[
            f"  {{ clean = {_text(pair.clean)}, corrupted = {_text(pair.corrupted)} }},"
            f"  # {pair.gap:.2f} logits apart"
            for pair in others
        ],
        "]",
        "",
        "# Sentences of the corpus in which one of the words follows.",
        "natural = [",
        *[
            f"  {{ text = {_text(each.text)}, "
            f'calls_for = "{"target" if each.follows == words[0] else "foil"}" }},'
            for each in found
        ],
        "]",
    ]
    return "\n".join(lines) + "\n"


def _heading(words: tuple[str, str], own: Told) -> list[str]:
    target, foil = words
    return [
        f"# Which neurons make the model say {target.strip()!r} rather than {foil.strip()!r}?",
        f"title = {_text(f'{target.strip()} or {foil.strip()}')}",
        'about = ""  # why anyone asks',
        f"target = {_text(target)}",
        f"foil = {_text(foil)}",
        "",
        f"# The model's choice, in logits: {own.clean_diff:.2f} after the clean prompt, "
        f"{own.corrupted_diff:.2f} after the corrupted one.",
        f"clean = {_text(own.clean)}",
        f"corrupted = {_text(own.corrupted)}",
        "",
    ]


def _split(many: int, pairs: int) -> str:
    if pairs == 1:
        return "# There is no other pair, so nothing confirms what this one chooses."
    return f"# `--pairs {many}`: so many choose, in this order; the other {pairs - many} confirm."


def _told(each: Dropped) -> str:
    words = " and ".join(each.words)
    if each.gap is None:
        return f"{words} (of {each.tokens} tokens, as no word left on the other side)"
    return f"{words} (the model hardly tells them apart: {each.gap:.2f} logits)"


def _text(text: str) -> str:
    """A TOML string: JSON's, but for a character that only TOML escapes."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(texts: Sequence[str]) -> str:
    return "[" + ", ".join(map(_text, texts)) + "]"


def save_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, whole or not at all.

    Raises:
        UserError: it is there, or cannot be written.
    """
    if path.suffix != ".toml":
        raise UserError(f"{str(path)[:200]} is no .toml file: a question is one.")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UserError(f"{path} is there already: name a new file.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): name another.") from error
