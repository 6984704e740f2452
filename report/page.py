"""The pages of one study, each as one HTML text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, PrefixLoader
from markupsafe import Markup

from analysis import sentences
from analysis.claims import Claims
from analysis.claims.making import command, command_here
from analysis.declaration import Experiment
from analysis.evidence import Evidence
from analysis.experiments import steps
from analysis.experiments.activations.token_rows import TokenRow, plain_rows, token_rows
from analysis.questions import default
from report.dose import dose
from report.linkcheck import anchors
from report.marks import lights
from report.panels import absent, panels, themes
from report.place import Place
from report.rows import listed, rows_of

ALONE = Place(root="../../")
"""A page whose index knows no address: it lies in ``MODEL/QUESTION/`` below that."""


@dataclass(frozen=True)
class Part:
    """One chapter of the study.

    Attributes:
        file: its page.
        id: of its section.
        name: what the contents call it.
        heading: above it.
        templates: the first of these that is there writes it.
        experiment: the one that it tells of; None where it is about the study.
        said: what is claimed of that experiment, or of the original study.
    """

    file: str
    id: str
    name: str
    heading: str
    templates: tuple[str, ...]
    experiment: Experiment | None = None
    said: Any = None


@dataclass(frozen=True)
class OverQuestions:
    """What a page over all questions to the model finds, and the way there from a study's pages."""

    heading: Markup
    address: str


@cache
def environment() -> Environment:
    """The templates of all pages."""
    sections = PrefixLoader({"sections": PackageLoader("report", "sections")})
    made = sentences.environment(sections, PackageLoader("report", "templates"))
    made.filters["lights"] = lights
    made.globals |= {
        "command": command,
        "command_here": command_here,
        "finding": sentences.finding,
        "listed": listed,
        "prompt_rows": prompt_rows,
        "rows_of": rows_of,
        "token_rows": token_rows,
    }
    return made


PROMPTS = ("Clean prompt", "Corrupted prompt")


def prompt_rows(evidence: Evidence) -> tuple[TokenRow, ...]:
    """The tokens of the question's two prompts; none where the study did not keep them."""
    if evidence.has("activations"):
        return token_rows(evidence.activations, PROMPTS)
    if evidence.has("patching"):
        result = evidence.patching
        tokens = (result.clean_tokens, result.corrupted_tokens)
        return plain_rows(dict(zip(PROMPTS, tokens, strict=True)))
    return ()


POST, STUDY, DOUBTS = "index.html", "study.html", "doubts.html"
"""A study's short post, the contents of all of it, and what would change our mind."""


def pages(
    evidence: Evidence,
    place: Place = ALONE,
    words: OverQuestions | None = None,
    claims: Claims | None = None,
) -> dict[str, str]:
    """Write the pages about one study, by file name, for the place where they will stand.

    Args:
        evidence: of the study.
        place: where they will stand.
        words: what is known of the model over all questions, if there is a page of that.
        claims: what the study says, if that is known already.
    """
    claims = claims or Claims(evidence)
    chapters = tuple(parts(evidence, claims))
    seen = {
        "claims": claims,
        "evidence": evidence,
        "question": evidence.question,
        "figures": absent(evidence) | panels(evidence, claims, place.app),
        "unasked": [each.title for each in steps() if not each.suits(evidence.question)],
        "parts": chapters,
        "themes": themes(),
        "place": place,
        "dose": dose(evidence),
        "usual": default(),
        "words": words,
        "short": False,
    }

    def render(template: str, **more: Any) -> str:
        return environment().get_template(template).render(seen | more)

    written = {
        part.file: render("chapter.html", **_around(chapters, place))
        for place, part in enumerate(chapters)
    }
    within = {file: _within(text) for file, text in written.items()}
    return {
        POST: render("post.html", short=True),
        STUDY: render("study.html", anchors=within),
        **written,
        DOUBTS: render("doubts.html"),
    }


def _around(chapters: Sequence[Part], place: int) -> dict[str, Any]:
    """A chapter, its number, and its neighbours; None where there is none."""
    part = chapters[place]
    return {
        "part": part,
        "said": part.said,
        "chapter": place + 1,
        "before": chapters[place - 1] if place else None,
        "after": chapters[place + 1] if place + 1 < len(chapters) else None,
    }


def _within(page: str) -> list[str]:
    """What can be pointed to in a chapter's text; data for scripts cannot."""
    article = page.partition("<article>")[2].partition("</article>")[0]
    return [anchor for anchor in anchors(article) if not anchor.endswith("-data")]


def parts(evidence: Evidence, claims: Claims) -> Iterator[Part]:
    """The chapters of the study: an experiment of which nothing is said has none of its own.

    One that cannot be asked of the model, or was asked in another study, has one that says so: no
    link to it is lost.
    """
    heading = f"The question: {evidence.question.label}"
    yield Part("question.html", "question", "The question", heading, ("question.html",))
    for each in evidence.wanted:
        file, id_ = f"{each.name}.html", f"{each.name}-section"
        said = claims.of(each.name)
        if said is not None:
            heading = getattr(said, "heading", each.title)
            templates = (f"sections/{each.name}.html", "generic.html")
            yield Part(file, id_, each.title, heading, templates, each, said)
        elif each.name in {*evidence.refused, *evidence.in_other_study}:
            why = "refused.html" if each.name in evidence.refused else "elsewhere.html"
            yield Part(file, id_, each.title, each.title, (why,), each)
    if claims.original is not None:
        theirs, own = claims.original, ("original.html",)
        yield Part("original.html", "original", "The original", theirs.heading, own, said=theirs)
    made = "How this was made"
    yield Part("making.html", "making", made, made, ("making.html",))
