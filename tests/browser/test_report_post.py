"""The post in a real browser: its first screen, slider, guesses, lit sentences and links."""

import itertools
import json
import re

import pytest

from tests.browser.chromium import NEEDED
from tests.browser.report_page import ReportVisit
from tests.prose import Prose

pytestmark = NEEDED

SCREENS = [(1400, 900, "light"), (820, 1180, "dark"), (400, 860, "dark")]
"""A desk, a tablet, a phone."""


@pytest.fixture(scope="module")
def post(committed):
    return committed.with_name("index.html")


@pytest.mark.parametrize(("width", "height", "scheme"), SCREENS)
def test_the_first_screen_shows_every_neuron_as_a_picture_untouched(
    browser, post, width, height, scheme
):
    with ReportVisit(browser, post, width, color_scheme=scheme) as visit:
        visit.tab.set_viewport_size({"width": width, "height": height})
        plot = visit.tab.locator("#neuron_sweep .plot")
        plot.locator("svg.main-svg").first.wait_for()
        box = plot.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= height
        assert box["width"] > 0.8 * min(width, 700)
        assert visit.tab.locator("h1").is_visible()
        assert visit.overflow() == 0


@pytest.mark.parametrize(("width", "height", "scheme"), SCREENS[::2])
def test_it_draws_all_asks_nobody_and_axe_finds_no_fault(browser, post, width, height, scheme):
    with ReportVisit(browser, post, width, color_scheme=scheme) as visit:
        for _ in range(visit.tab.locator(".guess .ask button").count()):
            visit.tab.locator(".guess .ask button").first.click()
        visit.see(*(name for name in visit.figures() if name != "dose"))
        assert visit.outside == []
        assert visit.trouble == []
        assert visit.overflow() == 0
        assert visit.faults() == []


AT_ONCE = 50
"""Milliseconds within which the slider shows what it is set to, laid out."""


def test_the_slider_moves_bars_and_text_together_at_once(browser, post):
    """Within the very event: what it shows was computed before."""
    turn = """place => {
        const slider = document.getElementById("factor");
        const begun = performance.now();
        slider.value = place;
        slider.dispatchEvent(new Event("input"));
        document.querySelector(".dose").getBoundingClientRect();
        (window.took ??= []).push(performance.now() - begun);
        return [document.getElementById("factor-shown").textContent,
                document.querySelector(".dose .bar").style.width,
                document.querySelector(".dose .amount-shown").textContent,
                document.getElementById("goes-on").textContent];
    }"""
    with ReportVisit(browser, post) as visit:
        untouched = visit.tab.evaluate(turn, 6)
        gone = visit.tab.evaluate(turn, 4)
        assert untouched[0] == "1"
        assert gone[0] == "0"
        assert all(before != after for before, after in zip(untouched, gone, strict=True))
        assert visit.tab.evaluate(turn, 6) == untouched
        assert min(visit.tab.evaluate("took")) < AT_ONCE


def test_a_reader_guesses_before_the_answer_is_shown(browser, post):
    with ReportVisit(browser, post) as visit:
        answer = visit.tab.locator("#prompt .answer")
        assert not answer.is_visible()
        visit.tab.locator("#prompt .ask button").click()
        assert answer.is_visible()
        visit.see("next_token")


def test_each_link_to_more_opens_the_chapter_that_it_names(post):
    links = re.findall('<a class="more" href="(.+?)"', post.read_text(encoding="utf-8"))
    assert len(links) >= 6
    for link in links:
        chapter = post.with_name(link).read_text(encoding="utf-8")
        assert Prose(chapter).elements.count("h1") == 1
        assert re.search(r'class="[^"]*\bwrong\b', chapter), link


def test_on_paper_no_answer_is_folded_away(browser, post):
    with ReportVisit(browser, post) as visit:
        visit.tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        for name in ("next_token", "confirmation"):
            drawn = visit.tab.locator(f"#{name} svg.main-svg").first
            drawn.wait_for()
            assert drawn.bounding_box()["width"] == 580
        assert visit.tab.locator(".answer:visible").count() == 2


def test_without_scripts_nothing_is_folded_away(browser, post):
    with ReportVisit(browser, post, java_script_enabled=False) as visit:
        assert visit.tab.locator("#prompt .answer").is_visible()
        assert visit.tab.locator("#dose .bar").first.is_visible()
        assert visit.tab.locator(".ask button:visible").count() == 0


def test_an_old_link_to_a_section_leads_to_its_chapter(browser, post):
    with ReportVisit(browser, post.as_uri() + "#activations-section") as visit:
        visit.tab.wait_for_url("**/activations.html#activations-section")
        visit.tab.goto(post.as_uri() + "#prompt")
        assert visit.tab.url.endswith("index.html#prompt")


FADED = 0.5
"""Opacity below which a mark is out of the way."""
OPACITIES = """([figure, wanted]) => {
    const points = [...document.querySelectorAll(`#${figure} .trace .point`)];
    const name = (point) => {
        const { trace } = point.closest(".trace").__data__[0];
        return [trace.customdata?.[point.__data__.i]].flat()[0];
    };
    const shown = (points) => points.map((point) => Number(getComputedStyle(point).opacity));
    return [shown(points.filter((each) => wanted.includes(name(each)))),
            shown(points.filter((each) => !wanted.includes(name(each))))];
}"""


def still(browser, page, **options):
    """The page without motion, so that what changes has changed at once."""
    return ReportVisit(browser, page, reduced_motion="reduce", **options)


@pytest.fixture(scope="module")
def visit(browser, post):
    """One such page for the tests that go on where another left it."""
    with still(browser, post) as visit:
        yield visit


def sentence_of(visit, figure):
    """The first sentence outside of the caption that speaks of a figure, and what it names."""
    sentence = visit.tab.locator(f"p > .lights[data-figure={figure}]").first
    return sentence, json.loads(sentence.get_attribute("data-marks"))


@pytest.mark.parametrize("figure", ["neuron_sweep", "written_tokens"])
def test_a_sentence_that_is_pointed_at_lights_up_its_marks_and_dims_the_others(visit, figure):
    visit.see(figure)
    sentence, names = sentence_of(visit, figure)
    before = [*itertools.chain(*visit.tab.evaluate(OPACITIES, [figure, names]))]
    assert min(before) > FADED
    sentence.hover()
    own, others = visit.tab.evaluate(OPACITIES, [figure, names])
    assert own
    assert min(own) == 1
    assert others
    assert max(others) < FADED
    visit.tab.locator("h1").hover()
    assert [*itertools.chain(*visit.tab.evaluate(OPACITIES, [figure, names]))] == before
    assert visit.trouble == []


def test_a_mark_that_is_pointed_at_lights_up_the_sentences_that_speak_of_it(visit):
    visit.see("neuron_sweep")
    sentence, (name,) = sentence_of(visit, "neuron_sweep")
    middle = visit.tab.evaluate(MIDDLE, name)
    visit.tab.mouse.move(*middle)
    visit.tab.wait_for_selector(".lights.lit")
    assert "lit" in sentence.get_attribute("class")
    lit = visit.tab.locator(".lights.lit").evaluate_all("all => all.map(s => s.dataset.marks)")
    assert all(name in json.loads(marks) for marks in lit)
    everything = visit.tab.locator(".lights[data-figure=neuron_sweep]").count()
    assert 0 < len(lit) < everything
    visit.tab.mouse.move(5, 5)
    visit.tab.wait_for_selector(".lights.lit", state="detached")


def test_every_sentence_that_speaks_of_marks_finds_some(visit):
    for _ in range(visit.tab.locator(".guess .ask button").count()):
        visit.tab.locator(".guess .ask button").first.click()
    visit.see(*(name for name in visit.figures() if name != "dose"))
    sentences = visit.tab.locator(".lights").all()
    assert len(sentences) >= 10
    for sentence in sentences:
        sentence.focus()
        figure = sentence.get_attribute("data-figure")
        assert visit.tab.locator(f"#{figure} .trace .lit").count() > 0, sentence.inner_text()
    assert visit.tab.locator(".plot.pointed").count() == 1


MIDDLE = """name => {
    const points = [...document.querySelectorAll("#neuron_sweep path.point")];
    const own = points.find((point) =>
        point.closest(".trace").__data__[0].trace.customdata[point.__data__.i][0] === name);
    own.scrollIntoView({ block: "center", behavior: "instant" });
    const box = own.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
}"""


def test_on_a_phone_a_tap_does_it_and_a_tap_elsewhere_undoes_it(browser, post):
    options = {"has_touch": True, "is_mobile": True, "color_scheme": "dark"}
    with still(browser, post, width=400, **options) as visit:
        visit.see("neuron_sweep")
        sentence, names = sentence_of(visit, "neuron_sweep")
        plain = sentence.evaluate("s => getComputedStyle(s).backgroundColor")
        sentence.tap()
        own, others = visit.tab.evaluate(OPACITIES, ["neuron_sweep", names])
        assert min(own) == 1
        assert max(others) < FADED
        assert sentence.evaluate("s => getComputedStyle(s).backgroundColor") != plain
        assert visit.faults() == []
        visit.tab.locator("h1").tap()
        assert visit.tab.locator(".lit").count() == 0


def test_paper_and_a_page_without_scripts_know_nothing_of_it(browser, post):
    with still(browser, post, java_script_enabled=False) as visit:
        assert visit.tab.locator(".lights").count() > 0
        assert visit.tab.locator(".lights[tabindex]").count() == 0
    with still(browser, post) as visit:
        visit.see("neuron_sweep")
        sentence, names = sentence_of(visit, "neuron_sweep")
        sentence.focus()
        visit.tab.emulate_media(media="print")
        _, others = visit.tab.evaluate(OPACITIES, ["neuron_sweep", names])
        assert min(others) > FADED
        assert sentence.evaluate("s => getComputedStyle(s).textDecorationLine") == "none"
