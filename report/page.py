"""The page as one HTML text."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined

from analysis import sentences, wording
from analysis.claims import Claims, make_claims
from analysis.claims.making import command
from analysis.declaration import Experiment
from analysis.evidence import Evidence
from analysis.experiments import steps
from analysis.experiments.activations.token_rows import token_rows
from report.dose import dose
from report.panels import absent, panels, themes
from report.place import Place
from report.rows import listed

ALONE = Place(root="../../")
"""A page whose index knows no address: it lies in ``MODEL/QUESTION/`` below that."""


@dataclass(frozen=True)
class Part:
    """One section of the page.

    Attributes:
        id: of the section.
        name: what the contents call it.
        heading: above it.
        templates: the first of these that is there writes it.
        experiment: the one that it tells of; None where it is about the study.
        said: what is claimed of that experiment.
    """

    id: str
    name: str
    heading: str
    templates: tuple[str, ...]
    experiment: Experiment | None = None
    said: Any = None


@cache
def environment() -> Environment:
    """Templates that escape everything, and fail on a name that is not there."""
    templates = PackageLoader("report", "templates")
    sections = PrefixLoader({"sections": PackageLoader("report", "sections")})
    made = Environment(
        loader=ChoiceLoader([sections, templates]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    written = {name: getattr(wording, name) for name in sentences.FILTERS}
    made.filters |= written
    made.globals |= written | {
        "command": command,
        "finding": sentences.finding,
        "listed": listed,
        "token_rows": token_rows,
    }
    return made


POST, STUDY, DOUBTS = "index.html", "study.html", "doubts.html"
"""The pages of one study: the short post, all of it, and what would change our mind."""


def pages(evidence: Evidence, place: Place = ALONE) -> dict[str, str]:
    """Write the pages about one study, by file name, for the place where they will stand."""
    claims = make_claims(evidence)
    drawn = panels(evidence, claims, place.app)
    unasked = [each.title for each in steps() if not each.suits(evidence.question)]
    seen = {
        "claims": claims,
        "evidence": evidence,
        "question": evidence.question,
        "figures": absent(evidence) | drawn,
        "drawn": len(drawn),
        "unasked": unasked,
        "parts": tuple(parts(evidence, claims)),
        "themes": themes(),
        "place": place,
        "dose": dose(evidence),
    }
    templates = {POST: "post.html", STUDY: "study.html", DOUBTS: "doubts.html"}
    return {
        file: environment().get_template(name).render(**seen, short=file == POST)
        for file, name in templates.items()
    }


def parts(evidence: Evidence, claims: Claims) -> Iterator[Part]:
    """The sections of the page: an experiment of which nothing is said has none of its own."""
    heading = f"The question: {claims.question}"
    yield Part("question", "The question", heading, ("question.html",))
    for each in evidence.experiments:
        said = claims.sections[each.name]
        if said is not None:
            templates = (f"sections/{each.name}.html", "generic.html")
            heading = getattr(said, "heading", each.title)
            yield Part(f"{each.name}-section", each.title, heading, templates, each, said)
    if claims.original is not None:
        yield Part("original", "The original", claims.original.heading, ("original.html",))
    yield Part("making", "How this was made", "How this was made", ("making.html",))
