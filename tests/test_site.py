"""The pages together: an index over questions and models, and no link that leads nowhere."""

from xml.etree import ElementTree

import pytest

from analysis import beside as shipping
from analysis import questions
from analysis.beside import PACKAGE, beside
from report.build import build
from report.feed import changes
from report.linkcheck import broken_links
from report.place import Place
from tests.prose import Prose, undrawn
from tests.synthetic import Plan, hostile_plan, save, toy_plan

pytestmark = pytest.mark.slow

ATOM = "{http://www.w3.org/2005/Atom}"
WORDS = {"target": " is", "foil": " are"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Two models asked the usual question, one of them another one too, and a hostile study."""
    folder = tmp_path_factory.mktemp("studies")
    save(Plan(model="one model"), folder / "results")
    save(Plan(holds=False), folder / "results")
    save(Plan(**WORDS), folder / "results")
    save(hostile_plan(), folder / "results")
    place = Place(address="https://example.org/", repository="somebody/an-neuron")
    with undrawn():
        return build(folder / "results", folder / "site", place).parent


def test_the_index_is_a_table_of_questions_by_models(site):
    index = (site / "index.html").read_text(encoding="utf-8")
    for link in ("one%20model/an", "smollm2-135m/an", "smollm2-135m/other"):
        assert index.count(f'href="{link}/index.html"') == 1
    table = index[index.index("<tbody>") : index.index("</tbody>")]
    assert table.count("<tr>") == 2
    assert table.count("<td") == 2 * 3
    assert table.count('<td class="none">–') == 2
    text = Prose(table).text
    assert "One neuron decides" in text
    assert questions.default().title in text


def test_every_page_leads_back_to_the_index(site):
    for path in ("one model/an", "smollm2-135m/other"):
        assert 'href="../../index.html"' in (site / path / "index.html").read_text(encoding="utf-8")


def test_no_link_of_the_site_leads_nowhere(site):
    assert broken_links(site) == []


def test_what_draws_is_there_once(site):
    assert len(list(site.rglob("plotly.min.js"))) == 1
    assert sum(path.stat().st_size for path in site.rglob("*")) < 8 * 2**20


def test_nothing_that_a_model_says_becomes_markup_on_the_index(site):
    assert "<img src=x" not in (site / "index.html").read_text(encoding="utf-8")


def test_one_model_or_one_question_can_be_shown_alone(tmp_path):
    for plan in (toy_plan(), Plan(model="other"), Plan(model="other", **WORDS)):
        save(plan, tmp_path / "results")
    with undrawn():
        one = build(tmp_path / "results", tmp_path / "one", model="other", question="an").parent
        two = build(tmp_path / "results", tmp_path / "two", question="an").parent
    shown = [{str(path.parent.relative_to(out)) for path in out.glob("*/*/index.html")}
             for out in (one, two)]  # fmt: skip
    assert shown == [{"other/an"}, {"other/an", "smollm2-135m/an"}]


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


def test_where_the_code_has_an_address_the_notebook_opens_in_colab(site):
    page = (site / "one model" / "an" / "making.html").read_text(encoding="utf-8")
    there = (
        "colab.research.google.com/github/somebody/an-neuron/blob/main/notebooks/an_neuron.ipynb"
    )
    assert there in page
    assert (PACKAGE.parent / "notebooks" / "an_neuron.ipynb").is_file()


def test_a_repository_that_is_none_is_refused():
    with pytest.raises(Exception, match="give OWNER/NAME"):
        Place(repository='"><script>')


def test_the_feed_holds_every_dated_release(site):
    feed = ElementTree.parse(site / "feed.xml").getroot()
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]
    assert "Version 0.1.0" in titles
    assert feed.findtext(f"{ATOM}id") == "https://example.org/"


def test_what_is_not_released_is_no_news():
    (only,) = changes("# Changelog\n\n## Unreleased\n\n- a\n\n## 1.0, 2026-01-02\n\n- b <c>\n")
    assert (only.version, only.date, only.text) == ("1.0", "2026-01-02", "- b <c>")


def test_files_of_the_project_are_found_in_the_package_where_it_is_installed(tmp_path, monkeypatch):
    assert beside("CHANGELOG.md") == PACKAGE.parent / "CHANGELOG.md"
    package = tmp_path / "site-packages" / "analysis"
    (package / "shipped").mkdir(parents=True)
    (package / "shipped" / "card.png").touch()
    (package.parent / "CHANGELOG.md").write_text("of nobody knows which package")
    (package / "shipped" / "CHANGELOG.md").write_text("ours")
    monkeypatch.setattr(shipping, "PACKAGE", package)
    assert beside("docs/card.png") == package / "shipped" / "card.png"
    assert beside("CHANGELOG.md") == package / "shipped" / "CHANGELOG.md"
    assert beside("CITATION.cff") is None


def test_without_changelog_and_card_the_pages_do_without(tmp_path, monkeypatch):
    monkeypatch.setattr(shipping, "PACKAGE", tmp_path / "analysis")
    save(toy_plan(), tmp_path / "results")
    with undrawn():
        out = build(tmp_path / "results", tmp_path / "site").parent
    assert not (out / "feed.xml").exists()
    assert broken_links(out) == []
    assert "og:image" not in (out / "index.html").read_text(encoding="utf-8")
