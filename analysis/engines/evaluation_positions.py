"""Places in a corpus at which predictions are measured: before the target, and before other tokens.

It knows no corpus, only numbered texts. Every text gives one window at most, so that windows are
independent of each other as far as texts are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from analysis.engines.reading import Window
from analysis.errors import UserError
from analysis.subject import Subject

LENGTH = 32
"""Tokens of context a window holds, BOS aside, where the model reads so many."""

MEASURED = 8
"""Positions measured in a window that was drawn without regard to the target."""

LEAST = 2
"""Windows without which nothing can be drawn from other texts."""


@dataclass(frozen=True)
class EvaluationPositions:
    """A window of text and the positions in it at which predictions are measured.

    Attributes:
        window: the tokens; all windows are equally long.
        is_target: whether it was chosen because the target follows its last token.
        positions: where predictions are measured.
        following: the text's own next token at each of these.
    """

    window: Window
    is_target: bool
    positions: tuple[int, ...]
    following: tuple[int, ...]


def evaluation_positions(
    subject: Subject,
    articles: Iterable[tuple[int, str]],
    targets: tuple[int, ...],
    count: int,
    seed: int,
    length: int = LENGTH,
    rest: tuple[int, ...] = (),
) -> list[EvaluationPositions]:
    """At most ``count`` windows before the target, and as many drawn without regard to it.

    Texts are taken in turn for the one kind and the other, so that neither kind is picked over, and
    the two kinds alternate in what is returned. A window drawn without regard to the target is
    measured at random positions that the target does not follow. The target is one of ``targets``
    and, where it is several tokens long, ``rest`` behind it.

    Raises:
        UserError: hardly any text is long enough.
    """
    length = min(length, subject.context - int(subject.prepend_bos))
    rng = np.random.default_rng(seed)
    found: dict[bool, list[EvaluationPositions]] = {True: [], False: []}
    for turn, (number, text) in enumerate(articles):
        wanted = turn % 2 == 0
        if len(found[wanted]) < count:
            tokens = subject.tokens(text)[int(subject.prepend_bos) :]
            make = _before_target if wanted else _anywhere
            found[wanted] += make(
                subject, number, tokens, _places(tokens, targets, rest), length, rng
            )
    if len(found[False]) < LEAST:
        raise UserError(f"Too few texts have more than {length} tokens: give more or longer ones.")
    pairs = zip_longest(found[True], found[False])
    return [place for pair in pairs for place in pair if place is not None]


def _places(tokens: Sequence[int], targets: tuple[int, ...], rest: tuple[int, ...]) -> list[int]:
    """Where in a text the target begins."""
    return [
        i
        for i, token in enumerate(tokens)
        if token in targets and tuple(tokens[i + 1 : i + 1 + len(rest)]) == rest
    ]


def _before_target(
    subject: Subject,
    number: int,
    tokens: Sequence[int],
    targets: list[int],
    length: int,
    rng: np.random.Generator,
) -> list[EvaluationPositions]:
    """A random occurrence of the target that has enough text before it."""
    places = [i for i in targets if i >= length]
    if not places:
        return []
    start = int(rng.choice(places)) - length
    window = _window(subject, number, start, tokens, length)
    return [EvaluationPositions(window, True, (len(window.tokens) - 1,), (tokens[start + length],))]


def _anywhere(
    subject: Subject,
    number: int,
    tokens: Sequence[int],
    targets: list[int],
    length: int,
    rng: np.random.Generator,
) -> list[EvaluationPositions]:
    """A random stretch, measured at random positions that the target does not follow."""
    if len(tokens) <= length:
        return []
    start = int(rng.integers(0, len(tokens) - length))
    following = tokens[start + 1 : start + length + 1]
    free = [i for i in range(len(following)) if start + 1 + i not in targets]
    chosen = sorted(rng.permutation(free)[:MEASURED].tolist())
    window = _window(subject, number, start, tokens, length)
    lead = int(subject.prepend_bos)
    places = tuple(i + lead for i in chosen)
    return [EvaluationPositions(window, False, places, tuple(following[i] for i in chosen))]


def _window(
    subject: Subject, number: int, start: int, tokens: Sequence[int], length: int
) -> Window:
    lead = tuple(subject.tokens("")) if subject.prepend_bos else ()
    return Window(number, start, (*lead, *tokens[start : start + length]))
