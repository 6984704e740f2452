"""The Space in a real browser: an address restores the view, and mistakes are told in the page."""

from dataclasses import asdict

import pytest

from space.session import Session
from space.settings import Settings
from space.tabs import grouped
from space.view import View
from tests.browser.space_page import FIRST, MARKS, SpaceVisit
from tests.space.server import serving
from tests.subjects import make_subject

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
    ({"target": "  an"}, "is 2 tokens"),
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
    session = Session(settings, lambda name, _: make_subject("llama", seeds[name]))
    with serving(session) as server:
        yield server.address


def test_another_model_is_asked_about_a_neuron_of_its_own(context, address):
    with SpaceVisit(context, address) as visit:
        brought = visit.neuron()
        assert brought != "the"
        visit.unfold()
        visit.tab.get_by_label("Model", exact=True).click()
        visit.tab.get_by_role("option", name="tiny-too").click()
        visit.tab.wait_for_function(
            "() => document.querySelector('#neuron textarea, #neuron input').value === ''"
        )
        visit.press("Ask")
        visit.see_view(model="tiny-too", neuron="")
    with SpaceVisit(context, address, model="tiny-too") as visit:
        visit.see_view(model="tiny-too", neuron="")
    with SpaceVisit(context, address, model="tiny-too", neuron=brought) as visit:
        visit.see_view(model="tiny-too", neuron=brought)


def test_back_goes_to_the_view_before_and_forward_to_the_one_after(context, address):
    with SpaceVisit(context, address) as visit:
        visit.go("direct_effect")
        visit.ask(neuron="L1N7")
        visit.go("find")
        for back in ({"tab": "direct_effect", "neuron": "L1N7"}, {"tab": "direct_effect"}):
            visit.tab.go_back()
            visit.ready()
            visit.see_view(**back)
            visit.see_tab("direct_effect")
        visit.tab.go_forward()
        visit.ready()
        visit.see_view(neuron="L1N7")
        assert visit.neuron() == "L1N7"


def boxes(visit: SpaceVisit) -> dict[str, str]:
    """What the shared question holds."""
    visit.unfold()
    held = {name: visit.box(name).input_value() for name in ASKED if name != "model"}
    return {"model": visit.tab.get_by_label("Model", exact=True).input_value(), **held}


def test_an_address_restores_the_very_view(context, address):
    """On the first tab, on the last of a group and on one that is alone, at both widths.

    Which tab each address opens is known without the browser.
    """
    within = next(tabs[-1].name for tabs in grouped().values() if len(tabs) > 1)
    alone = next(tabs[0].name for tabs in grouped().values() if len(tabs) == 1)
    with SpaceVisit(context, address, 400) as visit:
        for number, name in enumerate((FIRST, within, alone)):
            view = ASKED if name == FIRST else {**ASKED, "tab": name}
            visit.open(**view)
            for pixels in (400, 1400) if number % 2 else (1400, 400):
                visit.tab.set_viewport_size({"width": pixels, "height": 900})
                visit.see_tab(name)
                visit.see_view(**view)
                assert visit.tab.locator("#link").input_value() == visit.tab.url
                assert boxes(visit) == ASKED
                assert visit.overflow() == 0, (name, pixels)


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


def test_a_visit_asks_one_question_and_each_tab_one_more(context, address):
    with SpaceVisit(context, address) as visit:
        asked = visit.asked.questions
        assert len(asked) == 1
        for name, other in (("activations", "intervention"), ("direct_effect", "activations")):
            asked.clear()
            visit.open(**{**ASKED, "tab": name})
            visit.see_command(name, "--neuron L1N7")
            assert len(asked) == 1
            visit.go(other)
            visit.see_command(other, "--neuron L1N7")
            assert len(asked) == 2


def test_a_reload_keeps_the_view_that_was_built_by_hand(visit):
    visit.ask(neuron="L1N7", foil=" the")
    visit.see_tokens("L1N7")
    visit.go("direct_effect")
    visit.see_view(neuron="L1N7", foil=" the", tab="direct_effect")
    for again in (False, True):
        if again:
            before = visit.tab.url
            with visit.asked.once_more():
                visit.tab.reload()
                visit.ready()
            visit.see_tab("direct_effect")
        command = visit.see_command("direct_effect", "--neuron L1N7")
        assert "--foil ' the'" in command.inner_text()
        visit.see_answer("direct_effect", 2)
    assert visit.tab.url == before == visit.tab.locator("#link").input_value()


def test_what_an_address_names_that_cannot_be_is_as_at_the_start(context, address):
    with SpaceVisit(context, address, **NOWHERE, foil=" the") as visit:
        visit.see_tab("activations")
        visit.see_tokens(visit.neuron())
        held = boxes(visit)
        start = asdict(View(model="tiny", foil=" the", neuron=visit.neuron()))
        assert held == {name: start[name] for name in held}
        assert visit.tab.url == f"{address}?foil=+the"


def test_a_mistake_is_told_in_a_sentence_and_the_page_goes_on(visit):
    visit.write(foil=View().foil)
    visit.press("Ask")
    visit.go("activations")
    visit.see_tokens(visit.neuron())
    start = boxes(visit)
    for wrong, found in MISTAKES:
        visit.write(**wrong)
        visit.press("Ask")
        visit.panel("activations").get_by_role("alert").get_by_text(found).wait_for()
        error = visit.see_error("activations")
        assert error.endswith(".")
        assert "\n" not in error
        assert visit.tab.get_by_role("alert").count() == 1
        assert visit.tab.locator(".tokens").count() == 0
        visit.write(**{name: start[name] for name in wrong})
        visit.press("Ask")
        visit.see_tokens(start["neuron"])
        assert visit.tab.get_by_role("alert").count() == 0


def test_an_error_takes_the_place_of_an_older_answer(visit):
    visit.ask(neuron="L1N3")
    visit.go("direct_effect")
    visit.see_answer("direct_effect", 2)
    visit.ask(neuron="L9N9")
    visit.see_error("direct_effect")
    assert visit.tab.locator(".js-plotly-plot:visible").count() == 0
    assert visit.panel("direct_effect").locator(".take").count() == 0


def test_prompts_of_unequal_length_are_told_where_positions_are_compared(visit):
    visit.go("upstream")
    visit.ask(corrupted="I climbed up the tree and picked", neuron="L1N3")
    visit.press("Split what the neuron reads")
    assert "tokens" in visit.see_error("upstream")
    visit.write(corrupted=View().corrupted)
    visit.press("Ask")
    visit.press("Split what the neuron reads")
    visit.panel("upstream").locator("[role=status]").wait_for()
