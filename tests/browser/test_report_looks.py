"""The report for those who use no mouse or no eyes, and as pictures for who reviews it."""

import csv

import numpy as np

from report.screens import WIDTHS, take
from tests.browser.chromium import NEEDED
from tests.browser.conftest import built, chapter
from tests.browser.report_page import ReportVisit
from tests.synthetic import Plan

pytestmark = NEEDED


def test_by_keyboard_alone_a_reader_comes_from_the_top_to_a_figures_data(browser, plain):
    with ReportVisit(browser, chapter(plain, "neuron_sweep")) as visit:
        visit.tab.keyboard.press("Tab")
        assert visit.tab.evaluate("document.activeElement.textContent") == "Skip to the text"
        visit.see("neuron_sweep")
        visit.tab.locator("#neuron_sweep a.number").focus()
        with visit.tab.expect_download() as saved:
            visit.tab.keyboard.press("Tab")
            visit.tab.keyboard.press("Enter")
        assert saved.value.suggested_filename == "neuron_sweep.csv"


def test_no_cell_of_a_figures_data_is_a_formula(browser, tmp_path_factory):
    plan = Plan(target="=1+1", foil="@x", extra=("+y", "-z", " one"))
    page = chapter(built(tmp_path_factory, plan), "next_token")
    with ReportVisit(browser, page) as visit:
        with visit.tab.expect_download() as saved:
            visit.tab.locator("#next_token [data-take=csv]").click()
        with open(saved.value.path(), encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
    assert not [c for c in cells if c.startswith(("=", "+", "@")) and not number(c)]
    assert [c for c in cells if c.startswith('"=1+1')]


def number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def test_a_reviewer_gets_every_section_as_a_picture_in_every_width(browser, plain, tmp_path):
    pages = [chapter(plain, name) for name in ("neuron_sweep", "original")]
    pictures = take(pages, tmp_path / "screens", browser)
    names = {"neuron_sweep_neuron_sweep-section", "original_original"}
    assert {path.name for path in pictures} == {f"{n}_{w}.png" for n in names for w in WIDTHS}
    for path in pictures:
        width = int.from_bytes(path.read_bytes()[16:20], "big")
        assert width <= int(path.stem.rpartition("_")[2]) < 1.25 * width  # less the contents


UNPLACED = """async () => {
    const plot = document.querySelector("#circuit .js-plotly-plot");
    const curve = plot._fullData.findIndex(({ ids }) => ids?.[0] === "MLP0.3");
    const [, ...others] = plot._fullData[curve].x;
    await Plotly.restyle(plot, { x: [[null, ...others]] }, curve);
    history.replaceState(null, "", location.pathname);
    plot.dispatchEvent(new CustomEvent("drawn", { bubbles: true }));
}"""
"""The first mark of the circuit has no place any more: it is not drawn, so none comes to it."""


def test_by_keyboard_alone_a_reader_comes_to_every_number_of_a_circuit_and_back(browser, plain):
    with ReportVisit(browser, chapter(plain, "circuit"), width=400, color_scheme="dark") as visit:
        visit.see("circuit")
        found = visit.tab.locator("#circuit .readout output")
        visit.tab.locator("#circuit").get_by_role("button", name="Next mark").focus()
        for name, text in (
            ("MLP0.3", "MLP 0 at apple (3) · alone it restores 0.900, without it 0.800 is lost"),
            ("L2H0.5", "L2H0 at saw (5) · alone it restores 0.800, without it 0.600 is lost"),
            ("L3N5.5", "L3N5 at saw (5) · alone it restores 0.600, without it 0.400 is lost"),
            ("token-MLP0.3", "exchanged token apple (3) → MLP 0 at apple (3): +0.900"),
        ):
            visit.tab.keyboard.press("Enter")
            found.get_by_text(text, exact=True).wait_for()
            assert visit.tab.url.endswith(f"#circuit={name}")
        visit.tab.reload()
        found.get_by_text("+0.900").wait_for()
        visit.tab.locator("#circuit .scatterlayer .trace .point").last.hover(force=True)
        visit.tab.mouse.down()
        visit.tab.mouse.up()
        found.get_by_text("L3N5 at saw (5)").wait_for()
        visit.tab.evaluate(UNPLACED)
        visit.tab.locator("#circuit").get_by_role("button", name="Next mark").click()
        found.get_by_text("L2H0 at saw (5)").wait_for()
        visit.turn_to(chapter(plain, "neuron_sets"))
        visit.see("neuron_sets")
        visit.tab.get_by_label("How many neurons").focus()
        visit.tab.keyboard.press("ArrowRight")
        visit.tab.get_by_text("The first 3 neurons of the greedy order bring back 87").wait_for()
        visit.tab.locator("#neuron_sets .readout").get_by_text(
            "greedy, 3 neurons: 0.870"
        ).wait_for()
        assert visit.tab.url.endswith("#neuron_sets=greedy.3")
