"""What an experiment says of its Result: its claims in a study, its finding alone.

Numbers and verdicts are facts, read off the Result in ``facts.py``; sentences stand in
``sentences.html`` beside it, a macro each, chosen by the facts. Nothing is computed in a template.
"""

import re
from functools import cache
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from analysis import criteria, wording
from analysis.declaration import Experiment
from analysis.pair_facts import pair_facts
from analysis.study_facts import StudyFacts, facts_of

FILTERS = (
    "column_name", "count", "exchanged", "factor", "fraction", "goes_on", "head_name", "noun",
    "number", "ordinal", "percent", "plain", "plural", "power", "prompt", "share_span", "signed",
    "small", "span", "token", "tokens", "typed", "written",
)  # fmt: skip
"""How templates write numbers and tokens: the functions of ``wording``."""

FINDINGS = ("finding", "caption")
"""The sentence that says by itself what a Result shows: the first of these that there is."""


class Sentences:
    """The sentences of one template by name, each written when it is read.

    Args:
        template: of the sentences, a macro each.
        facts: the numbers and verdicts that they may tell.
        title: the heading where the template has none.
        seen: what else they may tell: plain fields of a ``result`` (names, tokens, counts), and
            the ``study`` as a whole; None for a Result alone.
    """

    def __init__(self, template: Template, facts: Any, title: str = "", **seen: Any) -> None:
        self.facts = facts
        self._heading = title
        self._sentences = template.make_module({"facts": facts, **seen})

    def __getattr__(self, name: str) -> Markup:
        """One sentence, or some; empty where the facts give no reason for it.

        Raises:
            AttributeError: there is none of that name.
        """
        if name.startswith("_") or not hasattr(self._sentences, name):
            if name == "heading" and self._heading:
                return Markup(self._heading)  # noqa: S704  (a declaration's own words)
            raise AttributeError(f"there is no sentence {name}")
        text = str(getattr(self._sentences, name)())
        return Markup(re.sub(r"[ \n]+", " ", text).strip())  # noqa: S704  (templates escape)


def claims(experiment: Experiment, study: StudyFacts) -> Any:
    """What a study says of one of its experiments; None where it has no sentences of its own."""
    if not experiment.has("facts"):
        return None
    result, facts = study.evidence.results[experiment.name], getattr(study.of, experiment.name)
    return _sentences(experiment, facts, result=result, study=study)


def finding(experiment: Experiment, result: Any) -> Markup:
    """What a Result shows, in a sentence or two."""
    said = alone(experiment, result)
    name = next(name for name in FINDINGS if hasattr(said, name))
    return Markup(getattr(said, name))  # noqa: S704  (it is markup already)


def alone(experiment: Experiment, result: Any) -> Sentences:
    """The sentences about a Result that belongs to no study."""
    return _sentences(experiment, facts_of(experiment, result), result=result, study=None)


def document(experiment: Experiment, file: str, **seen: Any) -> str:
    """A text of several paragraphs, of a template in an experiment's folder; no markup is in it."""
    text = _templates(experiment.home).get_template(file).render(seen)
    return f"{Markup(text).unescape().strip()}\n"  # noqa: S704  (templates escape)


def story(name: str) -> Template:
    """The sentences about a study as a whole: a template of ``analysis/story``."""
    return _templates("analysis.story").get_template(f"{name}.html")


def _sentences(experiment: Experiment, facts: Any, **seen: Any) -> Sentences:
    """The sentences in an experiment's folder."""
    template = _templates(experiment.home).get_template("sentences.html")
    return Sentences(template, facts, experiment.title, **seen)


@cache
def _templates(package: str) -> Environment:
    """The templates in a folder, and those whose macros they may import: story and drawing."""
    packages = dict.fromkeys((package, "analysis.story", "analysis.drawing"))
    homes = [package.rpartition(".") for package in packages]
    made = environment(*(PackageLoader(parent, folder) for parent, _, folder in homes))
    made.globals |= {"pair_facts": pair_facts, "criteria": criteria}
    return made


def environment(*loaders: BaseLoader) -> Environment:
    """Templates that escape everything, miss nothing, and write numbers and tokens as ``wording``.

    Args:
        loaders: where they lie; the first that has one gives it.
    """
    made = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    functions = {name: getattr(wording, name) for name in FILTERS}
    made.filters |= functions
    made.globals |= functions
    return made
