"""Whatever a text, a token or a model says, the page has its templates' elements and no more."""

from dataclasses import replace
from urllib.parse import unquote

import numpy as np
import pytest

from analysis.errors import UserError
from analysis.experiments import named
from analysis.experiments.activations.compute import Activations
from analysis.experiments.find.compute import Found
from analysis.experiments.writers.compute import Writer, Writers
from space import html
from space.answers import answer
from tests.prose import Prose
from tests.space.questions import NAMES, VIEW
from tests.synthetic import HOSTILE, Plan, evidence, hostile_plan

TEXTS = (
    *HOSTILE,
    "${7*7}",
    '" onmouseover="alert(1)',
    "' style='x",
    "</button></p></details>",
    "<!--",
    "&lt;b&gt;&#60;i&#62;",
    "\u202eright to left\u202c",
    "\x00\x07\x1b[31m\r\n\t",
    "\u2028\u2029\ufeff",
    "🍎" * 5,
)


def result_of(name, plan):
    """A hand-made result that spells its tokens as a plan does."""
    study = evidence(plan)
    neuron = Writer("L1N2", 1, 2.0)
    if name == "find":
        neuron = replace(neuron, neuron=str(study.neuron_sweep.best))
        return Found((neuron,), study.neuron_sweep, study.neuron_sweep.recovery)
    if name == "writers":
        return Writers(plan.target, plan.foil, (neuron,))
    return study.results[name]


def answered(name, plan):
    words = {"target": plan.target, "foil": plan.foil, "model": plan.model}
    texts = {part: "".join(getattr(plan, part)) for part in ("clean", "corrupted")}
    view = replace(VIEW, **words, **texts, text=plan.target)
    return usual(name, view, result_of(name, plan))


def usual(name, view, result):
    """What is shown of a result where every option is as usual."""
    experiment = named(name)
    return answer(experiment, view, experiment.check(experiment.app), result)


def found(answer):
    """The finding, above which a hostile question stands."""
    return html.finding(answer, dict.fromkeys(("clean", "target"), "".join(TEXTS)))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_answer_is_made_of_what_a_tame_one_is(name):
    hostile, tame = answered(name, hostile_plan()), answered(name, Plan())
    for show in (found, html.foot):
        ours, theirs = Prose(show(hostile)), Prose(show(tame))
        assert set(ours.elements) <= set(theirs.elements)
        assert set(ours.attributes) <= set(theirs.attributes)


class Files(Prose):
    """The files that a page offers, by name."""

    def __init__(self, page):
        self.files = {}
        super().__init__(page)

    def handle_starttag(self, tag, attrs):
        super().handle_starttag(tag, attrs)
        if tag == "a":
            given = dict(attrs)
            self.files[given["download"]] = given["href"].partition(",")[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_files_to_take_away_are_the_answers_own(name):
    shown = answered(name, hostile_plan())
    files = Files(html.foot(shown)).files
    assert unquote(files[f"{name}.json"]) == shown.json
    assert unquote(files.get(f"{name}.csv", "")) == shown.csv


def seen(tokens):
    """One text of these tokens."""
    size = len(tokens)
    return Activations(
        neuron="L1N2",
        target=tokens[0],
        texts=("".join(tokens),),
        random_texts=0,
        lengths=(size,),
        tokens=tuple(tokens),
        activations=np.linspace(-1.0, 1.0, size, dtype=np.float32),
        p_target=np.full(size, 0.5, dtype=np.float32),
        next_is_target=np.zeros(size, dtype=np.float32),
    )


def test_hostile_tokens_are_tinted_buttons_like_any_other():
    hostile, tame = (Prose(html.tokens(seen(tokens))) for tokens in (TEXTS, ["egg"] * len(TEXTS)))
    assert hostile.elements == tame.elements
    assert hostile.attributes == tame.attributes
    assert "<img·src=x·onerror=alert(1)>" in hostile.text.replace(" ", "·")


@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_token_is_text_in_the_finding_the_table_and_an_error(text):
    shown, tame = (usual("activations", VIEW, seen([token, "end"])) for token in (text, "egg"))
    for show in (found, html.foot):
        hostile, harmless = Prose(show(shown)), Prose(show(tame))
        assert hostile.elements == harmless.elements
        assert hostile.attributes == harmless.attributes
    refused = Prose(html.error(UserError(text), {"target": text}))
    assert (refused.elements, refused.attributes) == (
        ["div", "p"],
        ["data-question", "class", "role"],
    )


@pytest.mark.parametrize("text", TEXTS)
def test_no_control_character_reaches_the_page_as_itself(text):
    shown = usual("activations", VIEW, seen([text, "end"]))
    pages = (
        found(shown),
        html.tokens(shown.result),
        html.error(UserError(text), {"target": text}),
    )
    for page in pages:
        assert not set(page) & set("\x00\x07\x1b\r\u202e\ufeff")
