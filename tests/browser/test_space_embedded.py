"""The Space in a real browser over the embedded model: the first story, and the committed one."""

import re

import pytest

from analysis.figures import FIGURES
from space.session import Session
from space.settings import Settings
from space.story import KEY, story
from tests.browser.space_page import MARKS, SpaceVisit, served

pytestmark = MARKS


@pytest.fixture(scope="module")
def home(embedded):
    session = Session(Settings(), loader=lambda _name, _device: embedded)
    with served(session) as address:
        yield address


def test_a_visitor_sees_the_neuron_that_says_an_and_what_the_model_expects(context, home):
    with SpaceVisit(context, home) as visit:
        opening = visit.tab.locator(".lede").inner_text()
        assert len(re.findall(r"[.?!](?:\s|$)", opening)) == 2
        assert visit.neuron() in opening
        row = visit.tab.locator(".tokens .row").first.locator(".token")
        assert row.last.locator(".text").inner_text() == "·picked"
        row.last.click()
        assert "·an" in visit.see_answer(1, figures=1)


def test_the_story_is_drawn_from_the_committed_results(context, home):
    told = story("smollm2-135m")
    assert told is not None
    with SpaceVisit(context, home, tab="story") as visit:
        captions = visit.tab.locator(".caption")
        captions.first.wait_for()
        assert captions.count() == len(KEY)
        said = [caption.striptags() for caption, _ in told.figures()]
        assert [" ".join(text.split()) for text in captions.all_inner_texts()] == [
            " ".join(text.split()) for text in said
        ]
        visit.tab.wait_for_function(
            "number => [...document.querySelectorAll('.js-plotly-plot')].filter("
            "e => e.offsetHeight > 100 && e.dressed && e.querySelector('svg.main-svg')"
            ").length === number",
            arg=len(KEY),
        )
        assert set(KEY) <= set(FIGURES)
        assert visit.overflow() == 0
