"""The pages are HTML that a strict parser reads without a single complaint."""

from dataclasses import replace

import html5lib
import pytest
from html5lib.constants import E

from report.build import build
from report.page import ALONE, pages
from tests.prose import render, undrawn
from tests.synthetic import Plan, evidence, hostile_plan, save, toy_plan

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _blank():
    with undrawn():
        yield


def complaints(page: str) -> list[str]:
    """What a parser of the HTML standard finds wrong, with the place."""
    parser = html5lib.HTMLParser()
    parser.parse(page)
    return [f"{place}: {E[code] % each_text}" for place, code, each_text in parser.errors]


@pytest.mark.parametrize("plan", [Plan(), Plan(holds=False), toy_plan(), hostile_plan()])
@pytest.mark.parametrize("stills", [False, True])
def test_a_page_is_valid_whatever_the_results_say(plan, stills):
    place = replace(ALONE, stills=stills, repository="some/body", card=True, feed=True)
    for file, page in pages(evidence(plan), place).items():
        assert complaints(page) == [], file


def test_the_index_is_valid(tmp_path):
    save(hostile_plan(), tmp_path / "results")
    save(Plan(), tmp_path / "results")
    index = build(tmp_path / "results", tmp_path / "site")
    assert complaints(index.read_text(encoding="utf-8")) == []


def test_the_parser_complains_of_what_is_wrong():
    assert complaints("<!doctype html><title>t</title><p><div></p>")


def test_ids_are_there_once():
    for file, page in pages(evidence(Plan())).items():
        tree = html5lib.parse(page, namespaceHTMLElements=False)
        ids = [element.get("id") for element in tree.iter() if element.get("id")]
        assert len(ids) == len(set(ids)), file
        labels = [e.get("aria-labelledby") for e in tree.iter() if e.get("aria-labelledby")]
        assert set(labels) <= set(ids), file


def test_links_to_the_older_names_of_sections_still_lead_there():
    page = render(evidence(Plan()))
    for name, old in {
        "next_token": "prompt",
        "logit_lens": "lens",
        "neuron_sweep": "neurons",
        "direct_effect": "writes",
        "activations": "activity",
        "corpus_scan": "corpus",
        "composition": "composing",
        "weight_modulation": "modulation",
        "comparison": "models",
    }.items():
        section = page.partition(f'<section id="{name}-section"')[2].partition("</section>")[0]
        assert f'id="{old}"' in section
