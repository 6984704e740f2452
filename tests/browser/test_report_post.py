"""The five-minute post in a real browser: its first screen, its slider, its guesses, old links."""

import pytest

from tests.browser.chromium import NEEDED
from tests.browser.report_page import ReportVisit

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


def test_the_slider_moves_bars_and_text_together_at_once(browser, post):
    """Within the very event: what it shows was computed before."""
    turn = """place => {
        const slider = document.getElementById("factor");
        slider.value = place;
        slider.dispatchEvent(new Event("input"));
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


def test_a_reader_guesses_before_the_answer_is_shown(browser, post):
    with ReportVisit(browser, post) as visit:
        answer = visit.tab.locator("#prompt .answer")
        assert not answer.is_visible()
        visit.tab.locator("#prompt .ask button").click()
        assert answer.is_visible()
        visit.see("next_token")


def test_without_scripts_nothing_is_folded_away(browser, post):
    with ReportVisit(browser, post, java_script_enabled=False) as visit:
        assert visit.tab.locator("#prompt .answer").is_visible()
        assert visit.tab.locator("#dose .bar").first.is_visible()
        assert visit.tab.locator(".ask button:visible").count() == 0


def test_an_old_link_to_a_section_leads_to_it_in_the_study(browser, post):
    with ReportVisit(browser, post.as_uri() + "#activations-section") as visit:
        visit.tab.wait_for_url("**/study.html#activations-section")
        visit.tab.goto(post.as_uri() + "#prompt")
        assert visit.tab.url.endswith("index.html#prompt")
