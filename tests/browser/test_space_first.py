"""The app over the embedded model in a browser: its first screen, before a click and by keys alone,
a newcomer's story, and the committed one."""

import re

import numpy as np
import pytest

from analysis import EMBEDDED, results
from analysis.experiments import named
from analysis.experiments.neuron_sweep.measured import ranked
from analysis.wording import percent
from space.session import Session
from space.settings import Settings
from space.story import story
from tests.browser.chromium import WAIT
from tests.browser.space_page import MARKS, SpaceVisit, live
from tests.browser.test_space_looks import grave_faults, look
from tests.committed import committed
from tests.space.server import serving

pytestmark = MARKS

WATCH = """window.shifted = 0;
new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifted += each.value;
}).observe({ type: "layout-shift", buffered: true });"""
SHIFT = 0.1
"""The most that the page may shift."""

DRAWN = """number => [...document.querySelectorAll(".js-plotly-plot")].filter(
    e => e.offsetHeight > 100 && e.dressed && e.querySelector("svg.main-svg")
).length === number"""


@pytest.fixture(scope="module")
def address(embedded):
    with serving(Session(Settings(), loader=lambda _name, _device: embedded)) as server:
        yield server.address


def test_the_picture_is_there_before_gradio_has_begun_and_the_slider_turns_it(context, address):
    page = context.new_page()
    page.route("**/assets/*.js", lambda route: route.abort())
    page.goto(address)
    with np.load(results.COMMITTED / EMBEDDED / "an" / "weight_modulation.npz") as file:
        likely = file["likely_p"]
    as_it_is = committed("weight_modulation").factors.index(1.0)
    order = np.argsort(-likely[as_it_is], kind="stable")
    page.locator("#turn").focus()
    for key, row in (("Home", 0), ("ArrowRight", 1), ("End", 10), ("ArrowLeft", 9)):
        page.keyboard.press(key)
        shown = page.locator(".stage .bars .percent").all_inner_texts()
        assert shown == [percent(float(share)) for share in likely[row, order]]
        said = page.locator("#said-word, #said-rest").all_text_contents()
        assert "".join(said) == committed("weight_modulation").greedy[row]
    page.close()


@pytest.fixture
def own(browser):
    """A context that a test may change."""
    context = browser.new_context()
    context.set_default_timeout(WAIT)
    yield context
    context.close()


def test_the_workbench_begins_although_a_file_of_the_first_screen_is_late(own, address):
    def late(route):
        page = own.pages[-1]
        page.wait_for_function("Boolean(window.openNeuron)")  # first.js has set its timers
        page.evaluate("new Promise(done => setTimeout(done, 500))")  # behind that one
        route.continue_()

    own.route("**/first/explain.js", late)
    with SpaceVisit(own, address) as visit:
        assert visit.tab.evaluate("!document.querySelector('gradio-app .embed-container')")


def test_nothing_shifts_while_the_page_begins(own, address):
    own.add_init_script(WATCH)
    with SpaceVisit(own, address) as visit:
        visit.see_answer("activations")
        assert visit.tab.evaluate("window.shifted") < SHIFT


def test_one_panel_for_another_page_has_no_chrome_and_a_way_back(context, address):
    page = context.new_page()
    page.goto(f"{address}?embed=true")
    assert page.locator("#turn").is_visible()
    assert not page.locator("#own, gradio-app, #walk-door").filter(visible=True).count()
    page.goto(f"{address}?embed=true&tab=direct_effect&show=direct_effect&neuron=L1N7")
    page.locator(".answer-direct_effect [role=status]").wait_for()
    for chrome in ("#first", "#bench", "[role=tab]", "#unfold", ".answer-writers", ".take"):
        assert not page.locator(chrome).filter(visible=True).count(), chrome
    back = page.locator("#back").get_attribute("href")
    assert back == "./?tab=direct_effect&neuron=L1N7"
    page.close()


def test_the_walk_is_done_with_keys_alone_and_shows_nothing_before_a_guess(visit):
    visit.tab.locator("#walk-door").focus()
    visit.tab.keyboard.press("Enter")
    steps = visit.tab.locator("#walk section")
    assert steps.count() == 6
    for number in range(steps.count()):
        step = steps.nth(number)
        step.wait_for()
        assert visit.tab.locator("#walk section:visible").count() == 1
        assert not step.locator(".found").is_visible()
        visit.tab.keyboard.press("Tab")
        visit.tab.keyboard.press("Enter")
        assert step.locator(".found").inner_text()
        visit.tab.keyboard.press("Enter")
    assert visit.tab.evaluate("document.activeElement.id") == "own-target"


def test_axe_finds_no_grave_fault_in_first_screen_and_walk(visit):
    for scheme, width in (("light", 1400), ("dark", 820), ("dark", 400)):
        look(visit, scheme, width)
        assert visit.overflow() == 0
        assert grave_faults(visit) == []
        visit.tab.locator("#walk-door").click()
        if not visit.tab.locator("#walk .found:visible").count():
            visit.tab.locator("#walk [data-guess]:visible").first.click()
        assert grave_faults(visit) == []
        visit.tab.keyboard.press("Escape")
    look(visit, "light", 1400)


def test_of_two_tabs_that_are_opened_in_haste_the_later_is_answered(own, address):
    held, late = [], True

    def network(route):
        """What the page asks beside the queue comes late, or as always."""
        held.append(route) if late else route.continue_()

    with SpaceVisit(own, address) as visit:
        visit.tab.route("**/gradio_api/run/**", network)
        visit.click_tab("circuit")
        visit.see_tab("circuit")
        while not held:
            visit.tab.wait_for_timeout(10)
        visit.click_tab("upstream")
        visit.see_tab("upstream")
        late = False
        for route in held:
            route.continue_()
        visit.see_answer("upstream", live(named("upstream")))


def test_a_term_is_explained_on_focus_and_escape_takes_it_away(visit):
    visit.go("patching")
    visit.see_answer("patching", 2)
    visit.tab.locator("[role=tabpanel] .term:visible").first.focus()
    found = visit.tab.locator("#meaning")
    found.wait_for()
    assert len(found.inner_text()) > 20
    visit.tab.keyboard.press("Escape")
    assert not found.is_visible()


def test_no_figure_refers_to_an_address_that_the_next_tab_changes(visit):
    visit.click_tab("patching")
    visit.see_answer("patching", 2)
    drawn = visit.tab.locator(".answer-patching .js-plotly-plot").last.inner_html()
    assert re.findall(r"url\([^#)]*", drawn)
    assert set(re.findall(r"url\([^#)]*", drawn)) <= {"url('", "url(&quot;", "url("}


def test_a_head_of_the_circuit_is_shown_in_the_map_of_heads_and_a_neuron_opened(visit):
    visit.go("circuit")
    visit.see_answer("circuit", live(named("circuit")))
    table = visit.panel("circuit").locator("details")
    found = committed("circuit")
    head = next(found.nodes[i] for i in found.drawn if "H" in found.nodes[i])
    seen = visit.tab.locator(".answer-patching .readout output").filter(
        has_text=f"{head}: recovery"
    )
    with visit.asked.once_more():
        table.get_by_role("button", name=head, exact=True).first.click()
    seen.wait_for()
    assert visit.tab.url.endswith(f"#patching={head}")
    visit.go("circuit")
    step = visit.tab.locator(".answer-circuit").get_by_role("button", name="Next mark").first
    opens = visit.tab.locator(".answer-circuit .readout [data-node^=MLP]")
    while not opens.is_visible():
        step.press("Enter")
    mark = opens.get_attribute("data-node")
    with visit.asked.once_more():
        opens.press("Enter")
    visit.tab.wait_for_function("mark => location.hash === `#patching=${mark}`", arg=mark)


def test_the_next_dot_is_a_door_to_its_neuron_by_keys_alone(visit):
    visit.tab.locator("#sky").focus()
    second = ranked(committed("neuron_sweep"))[1]
    visit.tab.keyboard.press("ArrowRight")
    assert visit.tab.locator("#sky").get_attribute("aria-valuetext").startswith(f"{second} ")
    with visit.asked.once_more():
        visit.tab.keyboard.press("Enter")
    visit.see_view(neuron=str(second))
    visit.see_tokens(str(second))


def test_two_words_of_ones_own_find_their_neuron(visit):
    visit.tab.locator("[data-suggest]", has_text="A man or a book").click()
    words = {"target": "who", "foil": "which"}
    for name, word in words.items():
        assert visit.tab.locator(f"#own-{name}").input_value() == word
    read = visit.tab.locator("#own-read code").all_inner_texts()
    assert read == ["·who", "·which"]
    visit.tab.locator("#own-foil").press("Enter")
    visit.tab.locator("#verdict .verdict").get_by_text(
        "Your neuron is L27N1455, on these two prompts."
    ).wait_for()
    visit.see_view(tab="find", **{name: f" {word}" for name, word in words.items()})
    visit.tab.locator("#own-foil").fill("that")
    assert visit.tab.locator("#verdict").inner_text() == ""


def test_a_dot_opens_in_the_model_that_it_was_drawn_from_whichever_is_asked(own, address):
    page = own.new_page()
    page.goto(address)
    page.wait_for_function("Boolean(window.openNeuron && document.getElementById('settings'))")
    page.evaluate("window.heardAnswers({ model: 'another' }); window.openNeuron('L6N1395')")
    page.wait_for_url("**neuron=L6N1395**")
    assert "model=" not in page.url


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
    found = story(EMBEDDED)
    assert found is not None
    with SpaceVisit(context, address, width=400, tab="story") as visit:
        captions = visit.tab.locator("gradio-app .caption")
        said = [caption.striptags().split() for caption, _ in found.figures]
        captions.nth(len(said) - 1).wait_for()
        assert [text.split() for text in captions.all_inner_texts()] == said
        visit.tab.wait_for_function(DRAWN, arg=len(said))
        assert visit.overflow() == 0
