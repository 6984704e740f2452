"""The report's figures lead to the app, which opens with the very same question."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from analysis import questions
from analysis.claims import Claims
from analysis.experiments import named
from report.links import app_link
from report.panels import panels
from tests.synthetic import Plan, evidence, hostile_plan


def query(study, name: str = "patching") -> dict[str, str]:
    address = urlsplit(app_link(study, named(name)))
    return dict(parse_qsl(address.query, keep_blank_values=True, strict_parsing=True))


def asking(question):
    return replace(evidence(Plan()), question=question)


@pytest.mark.parametrize("name", list(evidence(Plan()).results))
def test_a_link_opens_the_experiments_tab_with_the_studys_model_and_neuron(name):
    study = evidence(Plan())
    asked, experiment = query(study, name), named(name)
    assert asked["tab"] == (experiment.tab or experiment.name)
    assert (asked["neuron"], asked["model"]) == (study.neuron, study.origin.model)


@pytest.mark.slow
def test_only_what_the_app_has_is_linked_to():
    study = evidence(Plan())
    for panel in panels(study, Claims(study)).values():
        assert bool(panel.app) == (panel.experiment.app is not None), panel.name


def test_the_usual_question_needs_no_word():
    assert set(query(asking(questions.default()))) == {"model", "neuron", "tab"}


@pytest.mark.parametrize("name", questions.library()[1:])
def test_another_question_of_the_library_is_named_and_spelt_out(name):
    """Spelt out as well, lest the library say otherwise some day."""
    question = questions.load(name)
    asked = query(asking(question))
    assert asked["question"] == name
    for part in ("clean", "corrupted", "target", "foil"):
        assert asked[part] == getattr(question, part)


def test_any_other_question_is_spelt_out_where_it_differs_whatever_it_holds():
    study = evidence(hostile_plan())
    asked = query(study)
    for part in ("clean", "corrupted", "target", "foil"):
        assert asked[part] == getattr(study.question, part)
    bare = questions.default().replaced(clean="One", corrupted="Two")
    assert set(query(asking(bare))) == {"clean", "corrupted", "model", "neuron", "tab"}


def test_an_app_elsewhere_is_linked_where_it_is():
    link = app_link(evidence(Plan()), named("ablation"), "https://example.org/app/")
    assert link.startswith("https://example.org/app/?")
