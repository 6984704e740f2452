"""The Space in a real browser: schemes, widths, and those who use no mouse or no eyes."""

import pytest

from tests.browser.space_page import MARKS, TABS, SpaceVisit

axe = pytest.importorskip("axe_playwright_python.base", reason="axe-core is not installed")
pytestmark = MARKS

GRAVE = ("serious", "critical")
BUTTONS = {
    "patching": (("Patch layers and heads", 1, 2), ("Sweep the neurons", 2, 1)),
    "direct-effect": (("Search its neurons", 1, 0),),
    "corpus": (("Read the articles", 0, 2),),
    "upstream": (("Split what the neuron reads", 0, 3),),
    "composition": (("Split the effect", 0, 1),),
    "ablation": (("Exchange it", 0, 1),),
    "find": (("Find the neuron", 0, 1),),
}
INK = {"light": "rgb(29, 35, 41)", "dark": "rgb(227, 231, 235)"}
LOOKS = """() => {
    const style = getComputedStyle(document.activeElement);
    const inner = document.activeElement.querySelector(".text");
    const outlined = [style, inner && getComputedStyle(inner)].some(
        s => s && s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0);
    const { tagName, textContent, dataset, id } = document.activeElement;
    const role = document.activeElement.getAttribute("role");
    return { tagName, text: textContent.trim(), token: dataset.token, id, role, outlined };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_answered_tab_fits_both_widths_and_has_no_grave_fault(context, address, scheme):
    """Axe-core looks at each tab after its answers, at both widths; no rule is left out."""
    with SpaceVisit(context, address, scheme=scheme) as visit:
        visit.tab.evaluate(axe.AXE_SCRIPT)
        for name in TABS:
            answered(visit, name)
            for width in (1400, 400):
                visit.tab.set_viewport_size({"width": width, "height": 900})
                assert visit.overflow() == 0, (name, width)
                assert grave_faults(visit) == [], (name, width)
            visit.tab.set_viewport_size({"width": 1400, "height": 900})


def answered(visit: SpaceVisit, name: str) -> None:
    """Open a tab and wait for every answer that it has."""
    visit.go(name)
    for button, panel, figures in BUTTONS.get(name, ()):
        visit.press(button)
        visit.see_answer(panel, figures)


def grave_faults(visit: SpaceVisit) -> list[tuple[str, list[str]]]:
    """The rules of axe-core that something breaks, and what does."""
    found = visit.tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [
        (fault["id"], [node["html"] for node in fault["nodes"]])
        for fault in found
        if fault["impact"] in GRAVE
    ]


@pytest.mark.parametrize("scheme", INK)
def test_figures_follow_the_scheme(context, address, scheme):
    with SpaceVisit(context, address, scheme=scheme, tab="direct-effect") as visit:
        visit.see_answer(0, 2)
        assert inks(visit) == {INK[scheme]}


def test_figures_change_with_the_scheme_of_the_system(context, address):
    with SpaceVisit(context, address, tab="direct-effect") as visit:
        visit.see_answer(0, 2)
        visit.tab.emulate_media(color_scheme="dark")
        visit.tab.wait_for_function(
            "ink => [...document.querySelectorAll('.xtick text')].every("
            "label => getComputedStyle(label).fill === ink)",
            arg=INK["dark"],
        )


def inks(visit: SpaceVisit) -> set[str]:
    """Colours of the figures' tick labels."""
    return set(
        visit.tab.locator(".js-plotly-plot:visible .xtick text").evaluate_all(
            "found => found.map(label => getComputedStyle(label).fill)"
        )
    )


def test_a_figure_fits_when_the_window_becomes_narrow(context, address):
    with SpaceVisit(context, address, tab="direct-effect") as visit:
        visit.see_answer(0, 2)
        visit.tab.set_viewport_size({"width": 400, "height": 900})
        visit.tab.wait_for_function(
            "[...document.querySelectorAll('.js-plotly-plot svg.main-svg')].every("
            "drawing => drawing.getBoundingClientRect().right <= innerWidth)"
        )


def test_the_tab_key_alone_reaches_everything_and_shows_where_it_is(context, address):
    with SpaceVisit(context, address) as visit:
        visit.see_tokens(visit.neuron())
        stops = []
        for _ in range(40):
            visit.tab.keyboard.press("Tab")
            stop = visit.tab.evaluate(LOOKS)
            if stop["tagName"] == "BODY":
                break
            stops.append(stop)
        assert [stop for stop in stops if not stop["outlined"]] == []
        names = [stop["text"] for stop in stops]
        assert [name for name in names if name in TABS.values()] == list(TABS.values())
        question = next(n for n, name in enumerate(names) if name.startswith("Ask another"))
        tokens = [n for n, stop in enumerate(stops) if stop["token"]]
        assert question < names.index("Activations") < tokens[0] < names.index("Read this text")
        assert [stops[n]["token"] for n in tokens] == ["0:0", "1:0", "2:0"]


def test_a_question_can_be_asked_without_a_mouse(context, address):
    with SpaceVisit(context, address) as visit:
        visit.tab.get_by_role("button", name="Ask another question").focus()
        visit.tab.keyboard.press("Enter")
        visit.box("neuron").focus()
        visit.tab.keyboard.press("Control+A")
        visit.tab.keyboard.type("L1N7")
        visit.tab.keyboard.press("Enter")
        visit.see_tokens("L1N7")
        visit.see_view(neuron="L1N7")
        visit.tab.get_by_role("tab", name="Activations").focus()
        visit.tab.keyboard.press("Tab")
        visit.tab.keyboard.press("Enter")
        visit.see_tab("patching")


@pytest.mark.parametrize("width", [400, 1400])
def test_wide_tables_scroll_by_themselves(context, address, width):
    with SpaceVisit(context, address, width, tab="corpus") as visit:
        visit.press("Read the articles")
        visit.see_answer(0, 2)
        table = visit.tab.locator(".table:visible")
        assert table.bounding_box()["width"] <= width
        assert table.get_attribute("tabindex") == "0"
        assert visit.overflow() == 0
