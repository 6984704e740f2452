"""A visitor's question of more than two prompts: pairs pasted as lines, or words for a sentence."""

from analysis.commands import reads_prompts
from analysis.declaration import Experiment
from analysis.errors import UserError
from analysis.questions import Question
from space.pairs import pasted_pairs
from space.settings import CONFIRMING, MOST_WORDS
from space.view import OWN, USUAL, View, library


def brings_its_own(view: View) -> bool:
    """Whether the view has pairs or words of its own in place of its two prompts."""
    return any(getattr(view, name).strip() for name in OWN)


def own_question(view: View) -> Question | None:
    """The question of a view's pairs or words, the first of which are its own; None without any.

    Raises:
        UserError: they make none, in one sentence.
    """
    sentence = any(map(str.strip, (view.template, view.target_words, view.foil_words)))
    if view.lines.strip() and sentence:
        raise UserError("Give pairs of prompts or words in a sentence, not both.")
    if view.lines.strip():
        words = {"target": view.target, "foil": view.foil}
        return Question(**pasted_pairs(view.lines, words))
    return _of_words(view) if sentence else None


def confirming(view: View) -> int:
    """How many of its other pairs, at most, confirm what its first one chose."""
    question = own_question(view)
    if question is None:
        return 0
    others = len(question.pairs) + max(0, len(question.target_words) - 1)
    return min(CONFIRMING, others)


def _of_words(view: View) -> Question:
    words = {name: _words(getattr(view, name)) for name in ("target_words", "foil_words")}
    for name, some in words.items():
        what = name.replace("_", " ")
        if not some:
            raise UserError(f"There are no {what}: give some, with commas between them.")
        if len(some) > MOST_WORDS:
            raise UserError(f"There are {len(some)} {what}: at most {MOST_WORDS} are read here.")
    clean, corrupted = (view.template.replace("{}", some[0]) for some in words.values())
    return Question(
        clean=clean,
        corrupted=corrupted,
        target=view.target,
        foil=view.foil,
        template=view.template,
        **words,
    )


def _words(text: str) -> tuple[str, ...]:
    """Words with commas or line ends between them."""
    return tuple(word.strip() for word in text.replace("\n", ",").split(",") if word.strip())


def library_question(view: View) -> Question | None:
    """The question of the library that has the view's words: the one that it names, if it does.

    None where the view brings pairs or words of its own.
    """
    if brings_its_own(view):
        return None
    ours = [q for q in library() if (q.target, q.foil) == (view.target, view.foil)]
    return next((q for q in ours if q.name == view.question), ours[0] if ours else None)


def question_of(view: View, experiment: Experiment) -> Question:
    """What the view asks of an experiment: prompts count only where they are read.

    Raises:
        UserError: it makes no question.
    """
    own = own_question(view)
    if own is not None:
        return own
    names = [each.name for each in library()]
    if view.question not in ("", *names) and (view.target, view.foil) == (USUAL.target, USUAL.foil):
        raise UserError(
            f"There is no question {view.question[:40]!r} here: choose one of {', '.join(names)}."
        )
    question = library_question(view) or USUAL
    words = {"target": view.target, "foil": view.foil}
    if not reads_prompts(experiment, view.target, view.foil):
        return question.replaced(**words)
    return question.replaced(view.clean, view.corrupted, **words)
