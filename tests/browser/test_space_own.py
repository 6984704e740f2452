"""A visitor's own words on the first screen, and several pairs of prompts pasted into the page."""

from space.view import USUAL
from tests.browser.space_page import MARKS, SpaceVisit
from tests.space.questions import VIEW

pytestmark = MARKS

PARTS = ("target", "foil", "clean", "corrupted")
LINES = """I saw the egg and ate | I saw the pear and ate
I saw the owl and the | I saw the dog and the | the| an | his| a"""


def test_pasted_pairs_are_asked_and_stand_in_the_address(context, address):
    with SpaceVisit(context, address, tab="patching") as visit:
        visit.ask(lines=LINES)
        assert "“I saw the egg and ate” against “I saw the pear and ate”" in visit.tab.inner_text(
            "#asked"
        )
        visit.press("Sweep the neurons")
        assert "other pair" in visit.see_answer("neuron_sweep", 1)


def test_words_that_an_address_names_stand_in_the_form(context, address):
    with SpaceVisit(context, address, foil=" the", clean="I saw the egg and ate") as visit:
        read = {name: visit.tab.locator(f"#own-{name}").input_value() for name in PARTS}
        assert read == {
            "target": USUAL.target.strip(),
            "foil": "the",
            "clean": "I saw the egg and ate",
            "corrupted": USUAL.corrupted,
        }
        visit.tab.locator("#own-foil").fill("his")
        assert visit.tab.locator("#own-clean").input_value() == "I saw the egg and ate"


def test_words_that_the_form_cannot_say_leave_it_as_it_was(context, address):
    with SpaceVisit(context, address) as visit:
        usual = visit.tab.locator("#own-foil").input_value()
        visit.tab.locator("#own summary").click()
        visit.tab.locator("#own-target").fill("is|was")
        assert " is" in visit.tab.locator("#own-clean").input_value()
        assert "|" not in visit.tab.locator("#own-clean").input_value()
        numbers = {"target": "7", "foil": "8", "clean": "I have ", "corrupted": "You have "}
        for spaces in (0, 1):
            for name, text in numbers.items():
                visit.tab.locator(f"#own-{name}").fill(text if spaces else text.rstrip())
            read = visit.tab.locator("#own-read code").all_inner_texts()
            assert read == (["7", "8"] if spaces else ["·7", "·8"])
    with SpaceVisit(context, address, foil="the") as visit:
        assert visit.tab.locator("#own-foil").input_value() == usual


TOGETHER = "How many does it take together?"


def test_two_words_are_told_how_many_neurons_say_them_together(context, address):
    own = {"clean": VIEW.clean, "corrupted": VIEW.corrupted, "target": "an", "foil": "the"}
    with SpaceVisit(context, address) as visit:
        visit.tab.locator("#own summary").click()
        for name, text in own.items():
            visit.tab.locator(f"#own-{name}").fill(text)
        visit.tab.locator("#own-foil").press("Enter")
        visit.tab.get_by_role("button", name=TOGETHER).click()
        visit.see_view(tab="sets", foil=" the")
        visit.tab.get_by_role("button", name="See how it was found").wait_for()
        assert visit.tab.get_by_role("button", name=TOGETHER).count() == 0
        verdict = visit.tab.locator(".answer-neuron_sets .verdict").inner_text()
        assert visit.tab.locator("#verdict .verdict").inner_text() == verdict
        moves_the_slider(visit)
        asks_again_what_was_refused(visit)


def moves_the_slider(visit):
    """The copied one moves the one that it was copied from, and the address holds where it is."""
    sliders = visit.tab.locator(".sizes input")
    before = [int(each.input_value()) for each in sliders.all()]
    assert len(before) == 2
    sliders.first.press("ArrowRight")
    assert [int(each.input_value()) for each in sliders.all()] == [size + 1 for size in before]
    assert "#neuron_sets=greedy." in visit.tab.url


def asks_again_what_was_refused(visit):
    """The tab of the answer is opened wherever one was; a mark of an earlier answer is left out."""
    verdict, foil = visit.tab.locator("#verdict"), visit.tab.locator("#own-foil")
    foil.press("Enter")
    verdict.get_by_role("button", name=TOGETHER).wait_for()
    visit.see_view(tab="find")
    foil.fill("an")
    refused = verdict.get_by_text("two different tokens")
    for _ in range(2):
        with visit.asked.once_more():
            foil.press("Enter")
        refused.wait_for()
    assert "#" not in visit.tab.url
    foil.fill("the")
    foil.press("Enter")
    verdict.get_by_role("button", name=TOGETHER).wait_for()
    asks_what_takes_longer_words(visit)


def asks_what_takes_longer_words(visit):
    """What reads no words of several tokens leads to what does, beside quick answers."""
    verdict, target = visit.tab.locator("#verdict"), visit.tab.locator("#own-target")
    target.fill("egg owl")
    target.press("Enter")
    verdict.get_by_text("2 tokens long").wait_for()
    verdict.get_by_role("button", name="Only patch the neurons").click()
    verdict.get_by_role("button", name="See how it was found").wait_for()
    text = visit.panel("neuron_sweep").locator("[role=status]").inner_text()
    assert text in verdict.inner_text()


def test_the_page_that_comes_anew_after_a_lost_connection_tells_what_was_asked(context, address):
    with SpaceVisit(context, address) as visit:
        visit.tab.locator("#own summary").click()
        visit.tab.locator("#own-foil").fill("the")
        visit.tab.route("**/queue/join*", lambda route: route.abort(), times=1)
        with visit.tab.expect_navigation():
            visit.tab.locator("#own-foil").press("Enter")
        visit.tab.locator("#verdict").get_by_role("button", name=TOGETHER).wait_for()
        assert "\u00b7an and \u00b7the" in visit.tab.locator("#verdict").inner_text()
        visit.trouble.clear()  # that the network lost something is on the console
