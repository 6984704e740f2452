"""The Space in a browser over the embedded model: a newcomer's story, and the committed one."""

import re

import pytest

from analysis import EMBEDDED
from space.session import Session
from space.settings import Settings
from space.story import story
from tests.browser.space_page import MARKS, SpaceVisit
from tests.space.server import serving

pytestmark = MARKS

DRAWN = """number => [...document.querySelectorAll(".js-plotly-plot")].filter(
    e => e.offsetHeight > 100 && e.dressed && e.querySelector("svg.main-svg")
).length === number"""


@pytest.fixture(scope="module")
def address(embedded):
    with serving(Session(Settings(), loader=lambda _name, _device: embedded)) as server:
        yield server.address


def test_a_newcomer_reads_that_a_neuron_says_an_finds_it_and_makes_another_the_neuron(
    context, address
):
    with SpaceVisit(context, address) as visit:
        opening = visit.tab.locator(".lede").inner_text()
        best = visit.neuron()
        assert "raises ·an against ·a" in opening
        assert best in opening
        assert len(re.findall(r"[.?!](?:\s|$)", opening)) == 2
        words = visit.tab.locator(".tokens .row").first.locator(".token")
        assert words.last.locator(".text").inner_text() == "·picked"
        with visit.asked.once_more():
            words.last.click()
        assert "·an" in visit.see_answer("next_token", figures=1)

        visit.go("find")
        visit.press("Find the neuron")
        visit.see_answer("find", 1)
        found = visit.panel("find").locator("button.neuron")
        found.first.wait_for()
        names = found.all_inner_texts()
        assert names[0] == best
        other = next(name for name in names if name != best)
        with visit.asked.once_more():
            found.get_by_text(other, exact=True).first.click()
        visit.see_view(neuron=other)
        assert visit.neuron() == other
        visit.go("direct_effect")
        visit.see_command("direct_effect", f"--neuron {other}")
        visit.see_answer("direct_effect", 2)
        visit.go("activations")
        visit.see_tokens(other)


def test_the_story_is_drawn_from_the_committed_results(context, address):
    told = story(EMBEDDED)
    assert told is not None
    with SpaceVisit(context, address, width=400, tab="story") as visit:
        captions = visit.tab.locator("gradio-app .caption")
        said = [caption.striptags().split() for caption, _ in told.figures()]
        captions.nth(len(said) - 1).wait_for()
        assert [text.split() for text in captions.all_inner_texts()] == said
        visit.tab.wait_for_function(DRAWN, arg=len(said))
        assert visit.overflow() == 0
