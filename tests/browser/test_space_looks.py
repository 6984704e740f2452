"""The Space in a real browser: schemes, widths, and those who use no mouse or no eyes."""

from itertools import cycle

from space import tabs
from tests.browser.space_page import MARKS, TABS, SpaceVisit, live

pytestmark = MARKS

GRAVE = ("serious", "critical")
LOOKS = (("light", 1400), ("dark", 400), ("dark", 1400), ("light", 400))
"""Scheme and width, each tab in the next one."""

INK = {"light": "rgb(29, 35, 41)", "dark": "rgb(227, 231, 235)"}
INKED = """ink => {
    const labels = [...document.querySelectorAll(".js-plotly-plot .xtick text")];
    return labels.length > 5 && labels.every(label => getComputedStyle(label).fill === ink);
}"""
INSIDE = """() => [...document.querySelectorAll(".js-plotly-plot svg.main-svg")].every(
    drawing => drawing.getBoundingClientRect().right <= innerWidth)"""
FOCUS = """() => {
    const { tagName, textContent, dataset, id } = document.activeElement;
    const shown = [document.activeElement, ...document.activeElement.querySelectorAll(".text")];
    const outlined = shown.map(element => getComputedStyle(element)).some(
        style => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0);
    return { tagName, text: textContent.trim(), token: dataset.token, id, outlined };
}"""


def test_every_tab_answers_and_axe_finds_no_grave_fault_in_it(context, address):
    """In turn in each of the four looks; no rule of axe is left out, and no page is too wide.

    Of a page that grows with every tab axe reads the open one; on the last it reads all.
    """
    with SpaceVisit(context, address) as visit:
        for tab, (scheme, width) in zip(tabs.tabs(), cycle(LOOKS), strict=False):
            look(visit, scheme, 1400)
            visit.go(tab.name)
            for experiment in tab.experiments:
                answered(visit, experiment)
            for pixels in (1800 - width, width):
                look(visit, scheme, pixels)
                assert visit.overflow() == 0, (tab.name, pixels)
            assert grave_faults(visit, f"#tab-{tab.name}") == [], (tab.name, scheme, width)
        assert grave_faults(visit) == []


FEWER = {"corpus_scan": 1}
"""Figures of answers that leave one out: in a few articles the target comes too seldom for one."""


def answered(visit: SpaceVisit, experiment) -> None:
    """Wait for an answer: a sentence, figures, a table where it has one, and a command."""
    if experiment.button:
        visit.press(experiment.button)
    drawn = FEWER.get(experiment.name, live(experiment))
    assert visit.see_answer(experiment.name, drawn).endswith(".")
    place = visit.panel(experiment.name)
    command = place.locator(".take code").inner_text()
    assert command.startswith(f"an-neuron {experiment.verb} ")
    assert (place.locator("table tbody tr").count() > 1) == bool(
        experiment.part("tables", "LISTING")
    )


def look(visit: SpaceVisit, scheme: str, width: int) -> None:
    """Change the system's scheme and the window's width, and wait until the page has followed."""
    visit.tab.set_viewport_size({"width": width, "height": 900})
    visit.tab.emulate_media(color_scheme=scheme)
    visit.tab.wait_for_function(
        "dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark"
    )
    visit.tab.wait_for_function("!document.getAnimations().some(a => a.playState === 'running')")


def grave_faults(visit: SpaceVisit, within: str = "") -> list[tuple[str, list[str]]]:
    """The rules of axe-core that something breaks, and what does."""
    return [(rule, nodes) for rule, weight, nodes in visit.faults(within) if weight in GRAVE]


def test_figures_follow_the_scheme_and_the_width(context, address):
    with SpaceVisit(context, address, scheme="dark", tab="direct_effect") as visit:
        visit.see_answer("direct_effect", 2)
        visit.tab.wait_for_function(INKED, arg=INK["dark"])
        visit.tab.emulate_media(color_scheme="light")
        visit.tab.wait_for_function(INKED, arg=INK["light"])
        visit.tab.set_viewport_size({"width": 400, "height": 900})
        visit.tab.wait_for_function(INSIDE)


def test_a_question_is_asked_with_keys_alone(context, address):
    with SpaceVisit(context, address) as visit:
        while pressed(visit, "Tab")["id"] != "unfold":
            pass
        visit.tab.keyboard.press("Space")
        while pressed(visit, "Tab")["tagName"] != "TEXTAREA":
            pass
        for _ in range(4):
            visit.tab.keyboard.press("Tab")
        visit.tab.keyboard.press("Control+A")
        visit.tab.keyboard.type("L1N7")
        while pressed(visit, "Tab")["id"] != "ask":  # past what several pairs are written into
            pass
        with visit.asked.once_more():
            visit.tab.keyboard.press("Enter")
        visit.see_tokens("L1N7")
        while pressed(visit, "Tab")["token"] != "0:0":
            pass
        visit.tab.keyboard.press("End")
        with visit.asked.once_more():
            visit.tab.keyboard.press("Enter")
        assert "likeliest next token" in visit.see_answer("next_token", 1)
        assert visit.tab.locator(".token.pressed .text").inner_text() == "·picked"


def test_the_tab_key_reaches_everything_in_reading_order_and_shows_where_it_is(visit):
    visit.see_tokens(visit.neuron())
    stops = []
    while (stop := pressed(visit, "Tab"))["tagName"] != "BODY":
        stops.append(stop)
        assert len(stops) < 80
    assert [stop for stop in stops if not stop["outlined"]] == []
    names = [stop["text"] for stop in stops]
    within = [tab.title for tab in tabs.grouped()["Where it fires"]]
    outer = list(tabs.grouped())
    shown = [name for name in names if name in {*within, *outer}]
    assert shown == [*outer, *within]
    tokens = [n for n, stop in enumerate(stops) if stop["token"]]
    assert [stops[n]["token"] for n in tokens] == ["0:0", "1:0", "2:0"]
    question = names.index("Ask another question")
    assert question < names.index(TABS["activations"]) < tokens[0] < names.index("Read this text")


def pressed(visit: SpaceVisit, key: str) -> dict[str, str]:
    """What has the focus after a key."""
    visit.tab.keyboard.press(key)
    return visit.tab.evaluate(FOCUS)


def test_arrow_keys_walk_through_the_tabs_and_enter_opens_one(visit):
    row = list(tabs.grouped())
    first, second, third, *_, last = row
    visit.tab.get_by_role("tab", name=first, exact=True).focus()
    for key, name in (
        ("ArrowLeft", first), ("ArrowRight", second), ("ArrowRight", third), ("End", last),
        ("ArrowRight", last), ("Home", first), ("ArrowRight", second), ("ArrowLeft", first),
    ):  # fmt: skip
        assert pressed(visit, key)["text"] == name
    for name, key in ((first, "Enter"), (second, "Space")):
        with visit.asked.once_more():
            visit.tab.keyboard.press(key)
            visit.see_tab(tabs.grouped()[name][0].name)
        assert visit.tab.evaluate(FOCUS)["text"] == name
        pressed(visit, "ArrowRight")


def test_axe_would_notice_a_text_that_cannot_be_read(visit):
    visit.tab.evaluate("document.querySelector('.lede').style.color = '#ddd'")
    assert [rule for rule, _ in grave_faults(visit)] == ["color-contrast"]
