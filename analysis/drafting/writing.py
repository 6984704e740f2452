"""Writes a question as a commented file."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from analysis.drafting.contexts import Context
from analysis.drafting.words import Dropped, WordPair
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
    pairs: Sequence[WordPair],
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
    others = [*held_out_templates]
    return _draft(words, pairs, template=template, held_out_templates=others, dropped=dropped)


def pairs_file(words: tuple[str, str], pairs: Sequence[WordPair], found: Sequence[Context]) -> str:
    """A question of minimal pairs found in a corpus, as TOML; the first is the question's own."""
    return _draft(words, pairs, template="", contexts=found)


def _draft(words: tuple[str, str], pairs: Sequence[WordPair], **seen: Any) -> str:
    target, foil = words
    own, *others = pairs
    choose = choosing(len(pairs))
    confirm = len(pairs) - choose
    seen |= {"target": target, "foil": foil, "own": own, "others": others}
    return _template().render(seen, choose=choose, confirm=confirm)


@cache
def _template() -> Template:
    made = Environment(  # noqa: S701  (TOML: ``toml`` escapes)
        loader=PackageLoader("analysis", "drafting"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"toml": _toml, "quoted": repr, "logits": "{:.2f}".format}
    return made.get_template("draft.toml.txt")


def _toml(value: str | list[str]) -> str:
    """A TOML string or list: JSON's, but for a character that only TOML escapes."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def check_new(path: Path) -> None:
    """Refuse a name for a new question before anything is computed.

    Raises:
        UserError: it is no .toml file, is there, or its folder is not.
    """
    if path.suffix != ".toml":
        raise UserError(f"{str(path)[:200]} is no .toml file: a question is one.")
    if path.exists():
        raise UserError(f"{path} is there already: name a new file.")
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent}: name a file in one that is there.")


def save_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, whole or not at all.

    Raises:
        UserError: it is there, or cannot be written.
    """
    check_new(path)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UserError(f"{path} is there already: name a new file.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): name another.") from error
