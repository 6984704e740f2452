"""A study's pages in a real browser, opened as files, with the network cut off."""

import itertools
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browser.chromium import NEEDED
from tests.browser.conftest import chapter, pages_of
from tests.browser.report_page import ReportVisit
from tests.prose import Prose

pytestmark = NEEDED


LOOKS = [("light", 1400), ("dark", 400)]


MOST = 1_500_000
"""Bytes of a page."""


@pytest.fixture
def study(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("study", ["committed", "hostile"], indirect=True)
def test_every_figure_is_drawn_nothing_leaves_the_machine_and_axe_finds_no_fault(
    browser, study, committed
):
    """The committed study's pages in two looks: axe judges the last, one or the other, by all its
    rules, and the first by contrast, which goes by the scheme."""
    looks = LOOKS if study == committed else LOOKS[1:]
    with ReportVisit(browser, study) as visit:
        for place, page in enumerate(pages_of(study)):
            visit.turn_to(page)
            turned = looks[::-1] if place % 2 else looks
            for look in turned:
                visit.look(*look)
                visit.see_every_figure()
                assert visit.overflow() == 0, (page.name, look)
                if study == committed:
                    assert visit.cut_off() == visit.overlaid() == [], (page.name, look)
                rule = "" if look == turned[-1] else "color-contrast"
                assert visit.faults(rule=rule) == [], (page.name, look)
            assert visit.outside == [], page.name
            assert visit.trouble == [], page.name


@pytest.mark.parametrize("study", ["committed", "hostile"], indirect=True)
def test_no_page_is_large(study):
    for page in [*pages_of(study), study.with_name("index.html")]:
        assert page.stat().st_size < MOST, page.name


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_index_fits_and_axe_finds_no_fault_in_it(browser, committed, scheme, width):
    index = committed.parent.parent.parent / "index.html"
    with ReportVisit(browser, index, width, color_scheme=scheme) as visit:
        assert visit.trouble == []
        assert visit.overflow() == 0
        assert visit.faults() == []
        visit.tab.locator("table.studies a").first.click()
        assert visit.tab.url == committed.with_name("index.html").as_uri()


def test_letters_however_wide_push_nothing_out_of_the_window(browser, plain):
    """The fonts of a reader's machine are not ours: a width is tried in steps, not in one font."""
    with ReportVisit(browser, plain, width=1400) as visit:
        for page in (plain, chapter(plain, "ablation"), chapter(plain, "making")):
            visit.turn_to(page)
            visit.tab.add_style_tag(content="body { font-family: monospace !important; }")
            for width in (320, 700, 1000, 1343, 1345, 1400, 1700):
                visit.resize(width, 800)
                assert visit.overflow() == 0, (page.name, width)


def test_figures_far_down_wait_until_they_come_near(browser, plain):
    with ReportVisit(browser, chapter(plain, "upstream")) as visit:
        assert visit.tab.locator("figure#upstream_alignment svg.main-svg").count() == 0


def test_hostile_texts_execute_nothing(browser, hostile):
    """Nor do figures, of which the test of all pages draws every one."""
    with ReportVisit(browser, hostile) as visit:
        found = ""
        for name in ("study", "next_token", "intervention", "making"):
            visit.turn_to(chapter(hostile, name))
            assert visit.tab.locator("[onerror], [onload]").count() == 0
            assert visit.tab.locator("article img").count() == 0
            found += visit.tab.locator("article").inner_text()
        assert "{{7*7}}" in found
        assert visit.trouble == []


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(plain) -> Iterator[str]:
    """The address of a study's contents on a web server of this machine."""
    root = plain.parent.parent.parent
    handler = partial(Quiet, directory=str(root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = plain.relative_to(root).as_posix()
        yield f"http://127.0.0.1:{server.server_port}/{path}"
        server.shutdown()


def test_the_pages_work_from_a_web_server_too(browser, served):
    with ReportVisit(browser, served) as visit:
        visit.tab.locator(".chapters a[href='patching.html']").click()
        visit.see_every_figure()
        visit.tab.get_by_role("link", name="Next").click()
        assert visit.tab.url.endswith("/neuron_sweep.html")
        visit.see_every_figure()
        assert visit.outside == []
        assert visit.trouble == []


def test_a_script_written_into_the_page_would_not_run(browser, plain, tmp_path):
    root = plain.parent.parent.parent
    copy = Path(shutil.copytree(root, tmp_path / "copy")) / plain.relative_to(root)
    page = copy.read_text(encoding="utf-8")
    copy.write_text(page.replace("</body>", "<script>window.stolen = 1</script></body>"))
    with ReportVisit(browser, copy) as visit:
        assert visit.tab.evaluate("window.stolen") is None
        assert any("Content Security Policy" in text for text in visit.trouble)


def test_the_button_changes_page_and_figures_and_is_remembered(browser, plain):
    with ReportVisit(browser, chapter(plain, "logit_lens"), color_scheme="light") as visit:
        visit.see("logit_lens")
        before = visit.ink("logit_lens"), visit.tab.evaluate(PAGE_COLOUR)
        assert before[0] == "rgb(29, 35, 41)"
        visit.tab.get_by_role("button", name="Switch to the dark scheme").click()
        visit.tab.wait_for_function(DRESSED, arg=before[0])
        after = visit.ink("logit_lens"), visit.tab.evaluate(PAGE_COLOUR)
        assert before[0] != after[0]
        assert before[1] != after[1]
        visit.tab.reload()
        assert visit.tab.evaluate("currentScheme()") == "dark"


PAGE_COLOUR = "getComputedStyle(document.documentElement).backgroundColor"
DRESSED = """before => getComputedStyle(
    document.querySelector("figure#logit_lens .xtick text")).fill !== before"""


def test_on_paper_every_figure_is_drawn_light_and_as_wide_as_a_sheet(browser, plain):
    width = "document.querySelector('#attribution svg.main-svg').getBoundingClientRect().width"
    page = chapter(plain, "neuron_sweep")
    with ReportVisit(browser, page, width=1400, color_scheme="dark") as visit:
        visit.tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        visit.tab.locator("figure svg.main-svg").nth(2 * len(visit.figures()) - 1).wait_for()
        assert visit.tab.evaluate(width) == 580
        assert visit.ink("attribution") == "rgb(29, 35, 41)"
        visit.tab.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert visit.tab.evaluate(width) > 580
        assert visit.ink("attribution") == "rgb(227, 231, 235)"


def test_headings_go_down_one_step_at_a_time(plain):
    for page in pages_of(plain):
        elements = Prose(page.read_text(encoding="utf-8")).elements
        levels = [int(tag[1]) for tag in elements if tag in ("h1", "h2", "h3", "h4")]
        assert levels[0] == 1, page.name
        assert levels.count(1) == 1, page.name
        assert all(b - a <= 1 for a, b in itertools.pairwise(levels)), page.name


def test_beside_the_text_the_contents_lead_to_every_chapter_and_tell_which_is_read(browser, plain):
    with ReportVisit(browser, chapter(plain, "question"), width=1400) as visit:
        for name in ("direct_effect", "comparison"):
            visit.tab.locator(f".contents a[href='{name}.html']").click()
            assert visit.tab.url == chapter(plain, name).as_uri()
            here = visit.tab.locator(".contents a[aria-current]")  # the only one
            assert here.get_attribute("href") == f"{name}.html"
            box = visit.tab.locator(".contents").bounding_box()
            assert box["x"] + box["width"] < visit.tab.locator("h2").first.bounding_box()["x"]
            assert box["y"] >= 0


OLD = {
    "#patching-section": "patching.html#patching-section",  # a section
    "#confirmation": "neuron_sweep.html#confirmation",  # a figure
    "#lens": "logit_lens.html#lens",  # an older name of a section
    "#limits": "question.html#limits",
}


def test_an_old_link_into_the_one_page_leads_to_the_place_in_its_chapter(browser, plain):
    with ReportVisit(browser, plain) as visit:
        for old, new in OLD.items():
            visit.tab.goto("about:blank")
            visit.tab.goto(plain.as_uri() + old)
            visit.tab.wait_for_url(f"**/{new}")
            assert visit.tab.locator(old).count() == 1
        assert visit.trouble == []


def test_without_scripts_an_old_link_leads_to_the_entry_of_its_chapter(browser, plain):
    link = plain.as_uri() + "#lens"
    options = {"java_script_enabled": False, "reduced_motion": "reduce"}
    with ReportVisit(browser, link, **options) as visit:
        entry = visit.tab.locator("li:has(#lens)")
        assert entry.locator("a").first.get_attribute("href") == "logit_lens.html"
        assert 0 <= entry.bounding_box()["y"] < 800


def test_notes_and_contents_cover_nothing(browser, plain):
    noted = [page for page in pages_of(plain) if 'class="note"' in page.read_text("utf-8")]
    assert len(noted) >= 3
    with ReportVisit(browser, plain) as visit:
        for page in noted:
            visit.turn_to(page)
            for width in (400, 1000, 1400):
                visit.resize(width, 800)
                assert visit.tab.evaluate(COVERED) == [], (page.name, width)


COVERED = """() => {
    const boxes = (selector) => [...document.querySelectorAll(selector)].map((element) =>
        [element.textContent.slice(0, 30), element.getBoundingClientRect()]);
    const apart = (a, b) => a.right <= b.left || a.bottom <= b.top;
    const meet = (a, b) => !apart(a, b) && !apart(b, a);
    const others = boxes("figure, .scroll, h1, h2, h3");
    const beside = [...boxes(".note"), ...boxes(".contents")];
    return beside.flatMap(([text, box]) =>
        others.filter(([, other]) => meet(box, other)).map(([other]) => [text, other]));
}"""


def test_without_scripts_still_images_stand_in_for_the_figures(browser, stills):
    page = chapter(stills, "neuron_sweep")
    with ReportVisit(browser, page, width=400, java_script_enabled=False) as visit:
        assert "still images" in visit.tab.locator("article").inner_text()
        for name in visit.figures():
            image = visit.tab.locator(f"figure#{name} img")
            image.scroll_into_view_if_needed()
            assert image.evaluate("async (image) => { await image.decode(); return 1 }") == 1
            assert image.get_attribute("alt").startswith("Figure ")
        assert visit.overflow() == 0
        assert visit.outside == []


def test_with_scripts_no_still_image_is_loaded(browser, stills):
    with ReportVisit(browser, chapter(stills, "next_token")) as visit:
        visit.see("next_token")
        assert visit.tab.locator("img.still").count() == 0


def test_without_scripts_the_page_says_what_is_missing(browser, plain):
    with ReportVisit(browser, chapter(plain, "upstream"), java_script_enabled=False) as visit:
        assert "JavaScript is off" in visit.tab.locator("article").inner_text()
        assert visit.tab.locator("figcaption").count() == len(visit.figures())
