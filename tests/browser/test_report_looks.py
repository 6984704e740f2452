"""The report for those who use no mouse or no eyes, and as pictures for who reviews it."""

import csv

import numpy as np
import pytest

from analysis import EMBEDDED, results
from report.build import build
from report.screens import WIDTHS, take
from tests.browser.chromium import NEEDED
from tests.browser.report_page import ReportVisit
from tests.synthetic import Plan, save

axe = pytest.importorskip("axe_playwright_python.base", reason="axe-core is not installed")
pytestmark = NEEDED

ASK = """async () => (await axe.run()).violations.map((fault) =>
    [fault.id, fault.impact, fault.nodes.slice(0, 3).map((node) => node.html.slice(0, 200))])"""


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    return build(results.ROOT / EMBEDDED, tmp_path_factory.mktemp("committed") / "dist")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 400)])
def test_axe_finds_no_fault_in_the_page(browser, committed, scheme, width):
    with ReportVisit(browser, committed, width, color_scheme=scheme) as visit:
        visit.see_every_figure()
        visit.tab.evaluate(axe.AXE_SCRIPT)
        assert visit.tab.evaluate(ASK) == []


def test_by_keyboard_alone_a_reader_comes_from_the_top_to_a_figures_data(browser, committed):
    with ReportVisit(browser, committed) as visit:
        visit.tab.keyboard.press("Tab")
        assert visit.tab.evaluate("document.activeElement.textContent") == "Skip to the text"
        visit.see_every_figure()
        visit.tab.locator("#neuron_sweep a.number").focus()
        with visit.tab.expect_download() as saved:
            visit.tab.keyboard.press("Tab")
            visit.tab.keyboard.press("Enter")
        assert saved.value.suggested_filename == "neuron_sweep.csv"


def test_no_cell_of_a_figures_data_is_a_formula(browser, tmp_path):
    plan = Plan(target="=1+1", foil="@x", extra=("+y", "-z", " one"))
    page = build(save(plan, tmp_path / "results"), tmp_path / "dist")
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


def test_a_reviewer_gets_every_section_as_a_picture_in_every_width(browser, tmp_path):
    page = build(save(Plan(), tmp_path / "results"), tmp_path / "dist")
    pictures = take(page, tmp_path / "screens", browser, sections=("neurons", "original"))
    names = {path.name for path in pictures}
    assert names == {f"{s}_{w}.png" for s in ("neurons", "original") for w in WIDTHS}
    for path in pictures:
        width = int.from_bytes(path.read_bytes()[16:20], "big")
        assert width <= int(path.stem.rpartition("_")[2]) < 1.25 * width  # less the contents
