"""The Space in a real browser: an address restores the view, and mistakes are told in the page."""

from dataclasses import asdict
from itertools import cycle

import pytest

from space.session import Session
from space.settings import Settings
from space.view import View
from tests.browser.space_page import MARKS, TABS, SpaceVisit, served
from tests.conftest import make_subject

pytestmark = MARKS

ASKED = {
    "model": "tiny-too",
    "clean": "I climbed up the onion tree and picked",
    "corrupted": "I climbed up the pear tree and picked",
    "target": " my",
    "foil": " the",
    "neuron": "L1N7",
}
NOWHERE = {
    "model": "gpt5",
    "clean": "x" * 4_001,
    "neuron": "L" + "1" * 100,
    "tab": "../../etc/passwd",
    "unknown": "part",
}
MISTAKES = (
    ({"target": " an apple"}, "is 2 tokens"),
    ({"target": " a"}, "two different tokens"),
    ({"clean": ""}, "is empty"),
    ({"neuron": "L9N9"}, "layers go from 0 to 2"),
    ({"neuron": "the best one"}, "is not a neuron"),
)


@pytest.fixture(scope="module")
def address():
    """Where an app that offers two models is served."""
    seeds = {"tiny": 0, "tiny-too": 1}
    settings = Settings(models=tuple(seeds))
    with served(Session(settings, lambda name, _: make_subject("llama", seeds[name]))) as url:
        yield url


@pytest.fixture
def visit(context, address):
    with SpaceVisit(context, address) as visit:
        yield visit


def boxes(visit: SpaceVisit) -> dict[str, str]:
    """What the shared question holds."""
    visit.unfold()
    held = {name: visit.box(name).input_value() for name in ASKED if name != "model"}
    return {"model": visit.tab.get_by_label("Model", exact=True).input_value(), **held}


@pytest.mark.parametrize(("name", "width"), [*zip(TABS, cycle([400, 1400]), strict=False)])
def test_an_address_restores_the_very_view(context, address, name, width):
    """Opened at one width, and then seen at the other."""
    view = ASKED if name == View().tab else {**ASKED, "tab": name}
    with SpaceVisit(context, address, width, **view) as visit:
        for pixels in (width, 1800 - width):
            visit.tab.set_viewport_size({"width": pixels, "height": 900})
            visit.see_tab(name)
            visit.see_view(**view)
            assert visit.tab.locator("#link").input_value() == visit.tab.url
            assert boxes(visit) == ASKED
            assert visit.overflow() == 0


def test_a_linked_view_is_answered_at_once_and_says_how_to_ask_it(context, address):
    view = {**ASKED, "text": "She ate an orange. He found the egg", "tab": "activations"}
    with SpaceVisit(context, address, **view) as visit:
        visit.see_tokens("L1N7")
        words = visit.tab.locator(".tokens .row").first.locator(".text")
        assert words.all_inner_texts()[:4] == ["She", "·ate", "·an", "·orange"]
        assert visit.box("text").input_value() == view["text"]
        command = visit.tab.locator(".take:visible code").inner_text()
        assert "--model tiny-too" in command
        assert "--neuron L1N7" in command
        said = visit.tab.locator("#asked").inner_text()
        assert all(part in said for part in ("L1N7", ASKED["clean"], ASKED["corrupted"], "·my"))


@pytest.mark.parametrize("name", ["activations", "direct-effect"])
def test_a_visit_asks_once_as_the_page_may_lose_the_second_of_two_answers(context, address, name):
    asked = []
    with SpaceVisit(context, address) as visit:
        visit.see_tokens(visit.neuron())
        visit.tab.on("request", lambda each: asked.append("queue/join" in each.url))
        visit.open(**{**ASKED, "tab": name})
        visit.tab.locator(".take:visible code", has_text="--neuron L1N7").wait_for()
        assert sum(asked) == 1
        visit.go("ablation" if name == "activations" else "activations")
        visit.see_answer()
        assert sum(asked) == 2


def test_a_reload_keeps_the_view_that_was_built_by_hand(visit):
    visit.ask(neuron="L1N7", foil=" the")
    visit.see_tokens("L1N7")
    visit.go("direct-effect")
    visit.see_view(neuron="L1N7", foil=" the", tab="direct-effect")
    command = visit.panel(0).locator(".take code", has_text="--neuron L1N7 --foil ' the'")
    command.wait_for()
    visit.see_answer(0, 2)
    before = visit.tab.url
    visit.tab.reload()
    visit.ready()
    visit.see_tab("direct-effect")
    command.wait_for()
    assert visit.tab.url == before == visit.tab.locator("#link").input_value()


def test_what_an_address_names_that_cannot_be_is_as_at_the_start(context, address):
    with SpaceVisit(context, address, **NOWHERE, foil=" the") as visit:
        visit.see_tab("activations")
        visit.see_tokens(visit.neuron())
        held = boxes(visit)
        start = {**asdict(View(model="tiny", foil=" the")), "neuron": visit.neuron()}
        assert held == {name: start[name] for name in held}
        assert visit.tab.url == f"{address}?foil=+the"


def test_a_mistake_is_told_in_a_sentence_and_the_page_goes_on(visit):
    visit.see_tokens(visit.neuron())
    start = boxes(visit)
    for wrong, told in MISTAKES:
        visit.write(**wrong)
        visit.press("Ask")
        visit.panel(0).get_by_role("alert").get_by_text(told).wait_for()
        error = visit.see_error()
        assert error.endswith(".")
        assert "\n" not in error
        assert visit.tab.get_by_role("alert").count() == 1
        assert visit.tab.locator(".tokens").count() == 0
        visit.write(**{name: start[name] for name in wrong})
        visit.press("Ask")
        visit.see_tokens(start["neuron"])
        assert visit.tab.get_by_role("alert").count() == 0


def test_an_error_takes_the_place_of_an_older_answer(visit):
    visit.go("direct-effect")
    visit.see_answer(0, 2)
    visit.ask(neuron="L9N9")
    visit.see_error()
    assert visit.tab.locator(".js-plotly-plot:visible").count() == 0
    assert visit.panel(0).locator(".take").count() == 0


def test_prompts_of_unequal_length_are_told_where_a_pair_is_needed(visit):
    visit.go("composition")
    visit.ask(corrupted="I climbed up the tree and picked")
    visit.press("Split the effect")
    assert "tokens" in visit.see_error()
    visit.write(corrupted=View().corrupted)
    visit.press("Ask")
    visit.press("Split the effect")
    visit.see_answer(0, 1)
