"""The pages are HTML that a strict parser reads without a single complaint."""

import html5lib
import pytest
from html5lib.constants import E

from report.build import build
from report.place import Place
from report.site import build_site
from tests.synthetic import Plan, hostile_plan, save


def complaints(page: str) -> list[str]:
    """What a parser of the HTML standard finds wrong, with the place."""
    parser = html5lib.HTMLParser()
    parser.parse(page)
    return [f"{place}: {E[code] % told}" for place, code, told in parser.errors]


@pytest.mark.parametrize("plan", [Plan(), Plan(holds=False), hostile_plan()])
@pytest.mark.parametrize("stills", [False, True])
def test_a_page_is_valid_whatever_the_results_say(plan, stills, tmp_path, monkeypatch):
    monkeypatch.setattr("report.build.draw_stills", lambda _: {})
    folder = save(plan, tmp_path / "results")
    page = build(folder, tmp_path / "dist", Place(stills=stills, repository="some/body"))
    assert complaints(page.read_text(encoding="utf-8")) == []


def test_the_index_is_valid(tmp_path):
    save(hostile_plan(), tmp_path / "studies" / "hostile")
    index = build_site(tmp_path / "studies", tmp_path / "site")
    assert complaints(index.read_text(encoding="utf-8")) == []


def test_the_parser_complains_of_what_is_wrong():
    assert complaints("<!doctype html><title>t</title><p><div></p>")


def test_ids_are_there_once(tmp_path):
    page = build(save(Plan(), tmp_path / "results"), tmp_path / "dist").read_text()
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    labels = [e.get("aria-labelledby") for e in tree.iter() if e.get("aria-labelledby")]
    assert set(labels) <= set(ids)
