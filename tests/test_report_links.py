"""The report's figures lead to the app, which opens with the very same question."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from analysis.figures import FIGURES
from report.links import app_link
from space.tabs import TABS
from space.view import View, from_query
from tests.synthetic import HOSTILE, Plan, evidence, hostile_plan


def opened(study, figure):
    address = urlsplit(app_link(study, figure))
    return from_query(dict(parse_qsl(address.query, keep_blank_values=True)), View())


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figures_link_opens_a_tab_of_the_app_with_the_studys_neuron(figure):
    study = evidence(Plan())
    view = opened(study, figure)
    assert view.tab in {tab.name for tab in TABS}
    assert view.neuron == study.neuron
    assert view.model == study.origin.model


def test_a_link_carries_whatever_the_prompts_and_tokens_hold():
    study = evidence(hostile_plan())
    view = opened(study, "patching")
    asked = study.patching
    assert (view.clean, view.corrupted) == (asked.clean, asked.corrupted)
    assert (view.target, view.foil) == (asked.target, asked.foil) == (HOSTILE[0], HOSTILE[1])


def test_an_app_elsewhere_is_linked_where_it_is():
    link = app_link(evidence(Plan()), "ablation", "https://example.org/app/")
    assert link.startswith("https://example.org/app/?")
