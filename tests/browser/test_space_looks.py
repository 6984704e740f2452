"""The Space in a real browser: schemes, widths, and those who use no mouse or no eyes."""

from itertools import cycle

import pytest

from tests.browser.space_page import MARKS, TABS, SpaceVisit

axe = pytest.importorskip("axe_playwright_python.base", reason="axe-core is not installed")
pytestmark = MARKS

GRAVE = ("serious", "critical")
ANSWERS = {
    "activations": ((None, 0, 0),),
    "patching": (
        (None, 0, 1),
        ("Patch layers and heads", 1, 2),
        ("Sweep the neurons", 2, 1),
    ),
    "direct-effect": ((None, 0, 2), ("Search its neurons", 1, 0)),
    "corpus": (("Read the articles", 0, 2),),
    "upstream": (("Split what the neuron reads", 0, 3),),
    "composition": (("Split the effect", 0, 1),),
    "ablation": ((None, 0, 1),),
    "find": (("Find the neuron", 0, 1),),
    "story": (),
}
"""By tab: the buttons that ask, which of its answers they ask for, and its figures."""

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


def test_axe_finds_no_grave_fault_in_any_tab_and_no_page_is_wider_than_its_window(context, address):
    """Every tab with its answers, in turn in each of the four looks; no rule of axe is left out."""
    with SpaceVisit(context, address) as visit:
        visit.tab.evaluate(axe.AXE_SCRIPT)
        for name, (scheme, width) in zip(TABS, cycle(LOOKS), strict=False):
            look(visit, scheme, 1400)
            answered(visit, name)
            for pixels in (1800 - width, width):
                look(visit, scheme, pixels)
                assert visit.overflow() == 0, (name, pixels)
            assert grave_faults(visit) == [], (name, scheme, width)


def answered(visit: SpaceVisit, name: str) -> None:
    """Open a tab and wait for every answer that it has."""
    visit.go(name)
    for button, panel, figures in ANSWERS[name]:
        if button:
            visit.press(button)
        visit.see_answer(panel, figures)
    visit.tab.wait_for_function("!document.querySelector('.answer .pending')")


def look(visit: SpaceVisit, scheme: str, width: int) -> None:
    """Change the system's scheme and the window's width, and wait until the page has followed."""
    visit.tab.set_viewport_size({"width": width, "height": 900})
    visit.tab.emulate_media(color_scheme=scheme)
    visit.tab.wait_for_function(
        "dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark"
    )
    visit.tab.wait_for_function("!document.getAnimations().some(a => a.playState === 'running')")


def grave_faults(visit: SpaceVisit) -> list[tuple[str, list[str]]]:
    """The rules of axe-core that something breaks, and what does."""
    found = visit.tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [
        (fault["id"], [node["html"] for node in fault["nodes"]])
        for fault in found
        if fault["impact"] in GRAVE
    ]


def test_axe_would_notice_a_text_that_cannot_be_read(context, address):
    with SpaceVisit(context, address) as visit:
        visit.tab.evaluate(axe.AXE_SCRIPT)
        visit.tab.evaluate("document.querySelector('.lede').style.color = '#ddd'")
        assert [rule for rule, _ in grave_faults(visit)] == ["color-contrast"]


def test_figures_follow_the_scheme_and_the_width(context, address):
    with SpaceVisit(context, address, scheme="dark", tab="direct-effect") as visit:
        visit.see_answer(0, 2)
        visit.tab.wait_for_function(INKED, arg=INK["dark"])
        visit.tab.emulate_media(color_scheme="light")
        visit.tab.wait_for_function(INKED, arg=INK["light"])
        visit.tab.set_viewport_size({"width": 400, "height": 900})
        visit.tab.wait_for_function(INSIDE)


def test_the_tab_key_reaches_everything_in_reading_order_and_shows_where_it_is(context, address):
    with SpaceVisit(context, address) as visit:
        visit.see_tokens(visit.neuron())
        stops = []
        while (stop := pressed(visit, "Tab"))["tagName"] != "BODY":
            stops.append(stop)
            assert len(stops) < 60
        assert [stop for stop in stops if not stop["outlined"]] == []
        names = [stop["text"] for stop in stops]
        assert [name for name in names if name in TABS.values()] == list(TABS.values())
        tokens = [n for n, stop in enumerate(stops) if stop["token"]]
        assert [stops[n]["token"] for n in tokens] == ["0:0", "1:0", "2:0"]
        question = names.index("Ask another question")
        assert question < names.index("Activations") < tokens[0] < names.index("Read this text")


def pressed(visit: SpaceVisit, key: str) -> dict[str, str]:
    """What has the focus after a key."""
    visit.tab.keyboard.press(key)
    return visit.tab.evaluate(FOCUS)


def test_arrow_keys_walk_through_the_tabs_and_enter_opens_one(context, address):
    with SpaceVisit(context, address) as visit:
        visit.tab.get_by_role("tab", name="Activations").focus()
        for key, name in (
            ("ArrowLeft", "activations"), ("ArrowRight", "patching"),
            ("ArrowRight", "direct-effect"), ("End", "story"), ("ArrowRight", "story"),
            ("Home", "activations"), ("ArrowRight", "patching"),
        ):  # fmt: skip
            assert pressed(visit, key)["text"] == TABS[name]
        visit.tab.keyboard.press("Enter")
        visit.see_tab("patching")
        visit.see_answer(0, 1)
        assert pressed(visit, "ArrowRight")["text"] == TABS["direct-effect"]
        visit.tab.keyboard.press("Space")
        visit.see_tab("direct-effect")
        visit.see_answer(0, 2)


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
        assert pressed(visit, "Tab")["id"] == "ask"
        visit.tab.keyboard.press("Enter")
        visit.see_tokens("L1N7")
        while pressed(visit, "Tab")["token"] != "0:0":
            pass
        visit.tab.keyboard.press("End")
        visit.tab.keyboard.press("Enter")
        assert "likeliest next token" in visit.see_answer(1, 1)
        assert visit.tab.locator(".token.pressed .text").inner_text() == "·picked"
