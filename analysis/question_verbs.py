"""The verbs that help with questions: ``question list``, ``question check``, ``question draft``."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis import console
from analysis.calls import AsJson, Loading, takes_a_model

if TYPE_CHECKING:
    from analysis.contrast import Contrast
    from analysis.subject import Subject

Words = Annotated[str, typer.Option(help="Words with commas between them.")]

CONTEXTS = 8
"""Contexts of the corpus that a draft shows for either word, and exchanges words in."""


def make() -> typer.Typer:
    """The group of verbs."""
    app = typer.Typer(no_args_is_help=True, help="List, check and write questions.")
    app.command("list")(list_questions)
    app.command("check")(takes_a_model(check))
    app.command("draft")(takes_a_model(draft))
    return app


def list_questions(as_json: AsJson = False) -> None:
    """List the questions that come with the project."""
    from analysis.questions import library, load

    rows = [
        {
            "name": each.name,
            "title": each.title,
            "target": each.target,
            "foil": each.foil,
            "words": len(each.target_words) + len(each.foil_words),
            "pairs": 1 + len(each.pairs),
        }
        for each in map(load, library())
    ]
    console.emit({"questions": rows}, as_json)


def check(
    loading: Loading,
    name: Annotated[str, typer.Argument(help="A question of the library, or a file.")],
) -> None:
    """Say all that is wrong with a question, and which of its pairs the model tells apart."""
    from analysis import questions
    from analysis.drafting.checking import checked, narrow
    from analysis.hints import hints

    question = questions.load(name)
    subject = loading.load()
    with console.watched("question check") as progress:
        found = checked(subject, question, progress)
    console.emit(found, loading.as_json)
    for hint in (*hints(subject, question), *narrow(subject, question, found)):
        console.note(f"note: {hint}")


def draft(
    loading: Loading,
    target: Annotated[str, typer.Option(help="The word asked for, with its leading space.")],
    foil: Annotated[str, typer.Option(help="The word it competes with, likewise.")],
    template: Annotated[
        str, typer.Option(help="A sentence with {} for the word; without one, the corpus is read.")
    ] = "",
    target_words: Words = "",
    foil_words: Words = "",
    held_out_template: Annotated[
        list[str] | None, typer.Option(help="Another sentence with {}; may be given again.")
    ] = None,
    documents: Annotated[
        int, typer.Option(min=1, help="Articles that are read where there is no template.")
    ] = 2000,
    out: Annotated[Path | None, typer.Option(help="Write the question to this new file.")] = None,
) -> None:
    """Write a question: of words in a sentence, or of two words alone, out of the corpus."""
    from analysis.contrast import make_contrast
    from analysis.drafting.writing import check_new, save_new

    if out is not None:
        check_new(out)
    subject = loading.load()
    contrast = make_contrast(subject, target, foil)
    if template or target_words or foil_words:
        words = _split(target_words), _split(foil_words)
        answer = _of_words(subject, contrast, template, words, held_out_template or [])
    else:
        contrast.check_next("A draft out of the corpus")
        answer = _of_corpus(subject, contrast, documents)
    if out is not None:
        save_new(out, answer["file"])
        console.note(f"note: {out} is written; `an-neuron study --question {out}` asks it.")
    if loading.as_json or out is not None:
        console.emit(
            {k: v for k, v in answer.items() if k != "file" or out is None}, loading.as_json
        )
    else:
        print(answer["file"], end="")


def _split(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]


def _of_words(
    subject: "Subject",
    contrast: "Contrast",
    template: str,
    words: tuple[list[str], list[str]],
    held_out_templates: Sequence[str],
) -> dict[str, Any]:
    """A draft of words in a sentence."""
    from analysis.drafting.words import check_template, try_words
    from analysis.drafting.writing import choosing, words_file
    from analysis.errors import UserError

    for each in held_out_templates:
        check_template(each)
    with console.watched("question draft") as progress:
        tried = try_words(subject, template, *words, contrast, progress)
    dropped = [asdict(each) for each in tried.dropped]
    if not tried.pairs:
        names = ", ".join(" and ".join(each.words) for each in tried.dropped)
        raise UserError(
            f"No pair is left: {subject.origin.name} tells none of these words apart by a whole "
            f"logit ({names[:200]}): try other words, or another sentence."
        )
    text = words_file(
        (contrast.target, contrast.foil), template, held_out_templates, tried.pairs, tried.dropped
    )
    many = choosing(len(tried.pairs))
    return {
        "file": text,
        "pairs": [_row(each, i < many) for i, each in enumerate(tried.pairs)],
        "dropped": dropped,
    }


def _of_corpus(subject: "Subject", contrast: "Contrast", documents: int) -> dict[str, Any]:
    """A draft of contexts and minimal pairs out of the corpus."""
    from analysis import corpus
    from analysis.drafting.contexts import contexts, minimal_pairs
    from analysis.drafting.writing import choosing, pairs_file
    from analysis.errors import UserError
    from analysis.progress import part_of

    texts = [text for _, text in corpus.articles()[:documents]]
    with console.watched("question draft") as progress:
        found = contexts(subject, texts, contrast, part_of(progress, 0.0, 0.3))
        calling = [each for each in found if each.follows == contrast.target]
        exchanging = part_of(progress, 0.3, 1.0)
        pairs = minimal_pairs(subject, calling[:CONTEXTS], texts[:200], contrast, exchanging)
    if not pairs:
        raise UserError(
            f"No single word of a sentence before {contrast.target!r} moves the answer by a whole "
            "logit: give a template and words."
        )
    chosen = {pair.clean for pair in pairs}  # what chooses does not confirm
    others = [each for each in calling if each.text not in chosen]
    against = [each for each in found if each.follows == contrast.foil]
    shown = [*others[:CONTEXTS], *against[:CONTEXTS]]
    many = choosing(len(pairs))
    return {
        "file": pairs_file((contrast.target, contrast.foil), pairs, shown),
        "pairs": [_row(each, i < many) for i, each in enumerate(pairs)],
        "contexts": [asdict(each) for each in shown],
    }


def _row(pair: Any, chooses: bool) -> dict[str, Any]:
    return {**asdict(pair), "gap": pair.gap, "chooses": chooses}
