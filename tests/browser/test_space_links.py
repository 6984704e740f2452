"""The Space in a real browser: an address restores the view, and mistakes are told in the page."""

from dataclasses import asdict

import pytest

from space.view import View
from tests.browser.space_page import MARKS, TABS, SpaceVisit

pytestmark = MARKS

FULL = {
    "clean": "I climbed up the onion tree and picked",
    "corrupted": "I climbed up the pear tree and picked",
    "target": " my",
    "foil": " the",
    "neuron": "L1N7",
    "text": "She ate an orange. He found the egg",
    "tab": "direct-effect",
}
NOWHERE = [
    {"tab": "../../etc/passwd"},
    {"tab": "Activations"},
    {"model": "gpt5"},
    {"clean": "x" * 4_001},
    {"neuron": "L" + "1" * 100},
    {"unknown": "part"},
]
MISTAKES = [
    ({"neuron": "L9N9"}, "layers go from 0 to 2"),
    ({"neuron": "the best one"}, "is not a neuron"),
    ({"target": " an apple"}, "is 2 tokens"),
    ({"target": " a"}, "two different tokens"),
]


@pytest.fixture
def visit(context, address):
    with SpaceVisit(context, address) as visit:
        yield visit


def view_of(visit: SpaceVisit) -> dict[str, str]:
    """What the boxes hold."""
    visit.unfold()
    return {name: visit.box(name).input_value() for name in FULL if name not in ("tab", "text")}


@pytest.mark.parametrize("name", TABS)
def test_each_tab_has_an_address(context, address, name):
    with SpaceVisit(context, address, tab=name) as visit:
        visit.see_tab(name)
        usual = "" if name == View().tab else f"?tab={name}"
        assert visit.tab.url == address + usual
        assert visit.tab.locator("#link").input_value() == visit.tab.url


@pytest.mark.parametrize("width", [400, 1400])
def test_an_address_restores_the_very_view(context, address, width):
    with SpaceVisit(context, address, width, **FULL) as visit:
        visit.see_tab("direct-effect")
        assert "L1N7" in visit.see_answer(0, 2)
        visit.see_view(**FULL)
        assert visit.tab.locator("#link").input_value() == visit.tab.url
        assert view_of(visit) == {k: v for k, v in FULL.items() if k not in ("tab", "text")}
        said = visit.tab.locator("#asked").inner_text()
        assert all(part in said for part in ("L1N7", FULL["clean"], FULL["corrupted"], "·my"))
        assert visit.overflow() == 0


def test_a_reload_keeps_the_view_that_was_built_by_hand(visit):
    visit.ask(neuron="L1N7", foil=" the")
    visit.see_tokens("L1N7")
    visit.go("direct-effect")
    visit.see_view(neuron="L1N7", foil=" the", tab="direct-effect")
    before = visit.tab.url
    visit.tab.reload()
    visit.ready()
    visit.see_tab("direct-effect")
    assert "L1N7" in visit.see_answer(0, 2)
    assert visit.tab.url == before


def test_a_text_in_the_address_is_read_at_once(context, address):
    with SpaceVisit(context, address, text=FULL["text"]) as visit:
        visit.tab.locator(".tokens .row").first.get_by_text("·orange").wait_for()
        assert visit.box("text").input_value() == FULL["text"]


@pytest.mark.parametrize("part", NOWHERE, ids=lambda part: next(iter(part)))
def test_an_address_that_names_nothing_opens_the_start(context, address, part):
    with SpaceVisit(context, address, **part) as visit:
        visit.see_tab("activations")
        visit.see_tokens(visit.neuron())
        start = asdict(View())
        assert {k: v for k, v in view_of(visit).items() if k != "neuron"} == {
            k: start[k] for k in ("clean", "corrupted", "target", "foil")
        }
        assert visit.tab.url == address


@pytest.mark.parametrize(("boxes", "told"), MISTAKES)
def test_a_mistake_is_told_in_a_sentence_and_the_page_goes_on(visit, boxes, told):
    kept = {name: view_of(visit)[name] for name in boxes}
    visit.ask(**{k: v for k, v in boxes.items() if v != kept[k]})
    error = visit.see_error()
    assert told in error
    assert error.endswith(".")
    assert visit.tab.get_by_role("alert").count() == 1
    assert visit.tab.locator(".tokens").count() == 0
    visit.write(**kept)
    visit.press("Ask")
    visit.see_tokens(visit.neuron())
    assert visit.tab.get_by_role("alert").count() == 0


def test_prompts_of_unequal_length_are_told_where_a_pair_is_needed(visit):
    visit.go("composition")
    visit.ask(corrupted="I climbed up the tree and picked")
    visit.press("Split the effect")
    assert "tokens" in visit.see_error()
    assert visit.panel(0).locator(".js-plotly-plot:visible").count() == 0
    visit.write(corrupted=View().corrupted)
    visit.press("Ask")
    visit.press("Split the effect")
    visit.see_answer(0, 1)


def test_an_error_takes_the_place_of_an_older_answer(visit):
    visit.go("direct-effect")
    visit.see_answer(0, 2)
    visit.ask(neuron="L9N9")
    visit.see_error()
    assert visit.tab.locator(".js-plotly-plot:visible").count() == 0
    assert visit.panel(0).locator(".take").count() == 0
