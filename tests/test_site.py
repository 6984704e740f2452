"""The site: an index over models, a page for each, and no link that leads nowhere."""

from xml.etree import ElementTree

import pytest

from analysis.errors import UserError
from report.feed import changes
from report.linkcheck import broken_links
from report.page import render
from report.place import Place
from report.site import CARD, build_site
from tests.synthetic import Plan, evidence, hostile_plan, save

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    studies = tmp_path_factory.mktemp("studies")
    save(Plan(), studies / "one model")
    save(hostile_plan(), studies / "hostile")
    place = Place(site=True, address="https://example.org/", repository="somebody/an-neuron")
    return build_site(studies, studies.parent / "site", place).parent


def test_the_site_has_an_index_and_a_page_for_each_model(site):
    index = (site / "index.html").read_text()
    for model in ("one%20model", "hostile"):
        assert f'href="{model}/index.html"' in index
    assert (site / "one model" / "index.html").is_file()
    assert "../index.html" in (site / "hostile" / "index.html").read_text()


def test_no_link_of_the_site_leads_nowhere(site):
    assert broken_links(site) == []


def test_what_draws_is_there_once(site):
    assert len(list(site.rglob("plotly.min.js"))) == 1
    assert sum(path.stat().st_size for path in site.rglob("*")) < 8 * 2**20


def test_nothing_that_a_model_says_becomes_markup_on_the_index(site):
    assert "<img src=x" not in (site / "index.html").read_text()


def test_a_broken_link_is_found_and_named(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#there">b</a><a href="b.html#gone">b</a>')
    (tmp_path / "b.html").write_text('<p id="there"></p><img src="no.png"><a href="//host/x">x</a>')
    assert broken_links(tmp_path) == ["a.html: b.html#gone", "b.html: no.png"]


def test_a_link_that_climbs_out_of_the_site_is_broken(tmp_path):
    (tmp_path / "secret.html").write_text("")
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text('<a href="../secret.html">out</a>')
    assert broken_links(folder) == ["index.html: ../secret.html"]


def test_where_the_code_has_an_address_the_notebook_opens_in_colab(site, tmp_path):
    page = (site / "one model" / "index.html").read_text()
    there = (
        "colab.research.google.com/github/somebody/an-neuron/blob/main/notebooks/an_neuron.ipynb"
    )
    assert there in page
    assert "colab" not in render(evidence(Plan()))
    assert (CARD.parent.parent / "notebooks" / "an_neuron.ipynb").is_file()
    with pytest.raises(UserError, match="give OWNER/NAME"):
        Place(repository='"><script>')


def test_the_feed_holds_every_dated_release(site):
    feed = ElementTree.parse(site / "feed.xml").getroot()
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]
    assert "Version 0.1.0" in titles
    assert feed.findtext(f"{ATOM}id") == "https://example.org/"


def test_what_is_not_released_is_no_news():
    (only,) = changes("# Changelog\n\n## Unreleased\n\n- a\n\n## 1.0, 2026-01-02\n\n- b <c>\n")
    assert (only.version, only.date, only.text) == ("1.0", "2026-01-02", "- b <c>")


def test_a_folder_without_a_study_is_refused(tmp_path):
    with pytest.raises(UserError, match="There is no study"):
        build_site(tmp_path, tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_a_site_replaces_an_earlier_one_and_nothing_else(tmp_path):
    save(Plan(), tmp_path / "studies" / "model")
    out = tmp_path / "site"
    build_site(tmp_path / "studies", out)
    (out / "old.txt").write_text("of the earlier build")
    build_site(tmp_path / "studies", out)
    assert not (out / "old.txt").exists()
    with pytest.raises(UserError, match="is not an earlier report"):
        build_site(tmp_path / "studies", tmp_path)
