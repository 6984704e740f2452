"""The report's page in a real browser, opened as a file, with the network cut off."""

import itertools
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from analysis import results
from analysis.figures import FIGURES
from report.build import build
from tests.browser.chromium import NEEDED, Visit
from tests.synthetic import Plan, hostile_plan, save

STUDY = results.ROOT / "smollm2-135m"

pytestmark = NEEDED


@pytest.fixture(scope="module")
def committed(tmp_path_factory) -> Path:
    if not STUDY.is_dir():
        pytest.skip(f"there are no committed results in {STUDY}")
    return build(STUDY, tmp_path_factory.mktemp("committed") / "dist")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    return build(save(hostile_plan(), folder / "results"), folder / "dist")


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    return build(save(Plan(), folder / "results"), folder / "dist")


class ReportVisit(Visit):
    """The report, open in a context of its own."""

    def __init__(self, browser, page: Path | str, width: int = 1000, **options: object) -> None:
        address = page if isinstance(page, str) else page.as_uri()
        viewport = {"width": width, "height": 800}
        self.context = browser.new_context(viewport=viewport, **options)
        super().__init__(self.context, address, ("file:", address.rpartition("/")[0]))

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def see_every_figure(self) -> None:
        for name in FIGURES:
            self.tab.locator(f"figure#{name}").scroll_into_view_if_needed()
            self.tab.wait_for_selector(f"figure#{name} svg.main-svg", timeout=20_000)

    def ink(self, name: str) -> str:
        """Colour of the figure's first tick label."""
        label = self.tab.locator(f"figure#{name} .xtick text").first
        return label.evaluate("element => getComputedStyle(element).fill")


@pytest.fixture(params=["committed", "plain", "hostile"])
def page(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("width", [400, 1400])
def test_every_figure_is_drawn_and_nothing_leaves_the_machine(browser, page, width):
    with ReportVisit(browser, page, width) as visit:
        visit.see_every_figure()
        assert visit.outside == []
        assert visit.trouble == []
        assert visit.overflow() == 0


def test_figures_far_down_wait_until_they_come_near(browser, plain):
    with ReportVisit(browser, plain) as visit:
        assert visit.tab.locator("figure#random_text svg.main-svg").count() == 0


def test_hostile_texts_execute_nothing(browser, hostile):
    with ReportVisit(browser, hostile) as visit:
        visit.see_every_figure()
        assert visit.trouble == []
        assert visit.tab.locator("[onerror], [onload]").count() == 0
        assert visit.tab.locator("article img").count() == 0
        assert "{{7*7}}" in visit.tab.locator("article").inner_text()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(plain) -> Iterator[str]:
    """The page's address on a web server of this machine."""
    handler = partial(Quiet, directory=str(plain.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


def test_the_page_works_from_a_web_server_too(browser, served):
    with ReportVisit(browser, served) as visit:
        visit.see_every_figure()
        assert visit.outside == []
        assert visit.trouble == []


def test_a_script_written_into_the_page_would_not_run(browser, plain, tmp_path):
    copy = Path(shutil.copytree(plain.parent, tmp_path / "copy")) / "index.html"
    page = copy.read_text(encoding="utf-8")
    copy.write_text(page.replace("</body>", "<script>window.stolen = 1</script></body>"))
    with ReportVisit(browser, copy) as visit:
        assert visit.tab.evaluate("window.stolen") is None
        assert any("Content Security Policy" in text for text in visit.trouble)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_follow_the_scheme_of_the_system(browser, plain, scheme):
    inks = {"light": "rgb(29, 35, 41)", "dark": "rgb(227, 231, 235)"}
    with ReportVisit(browser, plain, color_scheme=scheme) as visit:
        visit.see_every_figure()
        assert visit.ink("logit_lens") == inks[scheme]


def test_the_button_changes_page_and_figures_and_is_remembered(browser, plain):
    with ReportVisit(browser, plain, color_scheme="light") as visit:
        visit.see_every_figure()
        before = visit.ink("logit_lens"), visit.tab.evaluate(PAGE_COLOUR)
        visit.tab.get_by_role("button", name="Switch to the dark scheme").click()
        visit.tab.wait_for_function(DRESSED, arg=before[0])
        after = visit.ink("logit_lens"), visit.tab.evaluate(PAGE_COLOUR)
        assert before[0] != after[0]
        assert before[1] != after[1]
        visit.tab.reload()
        assert visit.tab.evaluate("currentScheme()") == "dark"


PAGE_COLOUR = "getComputedStyle(document.documentElement).backgroundColor"
DRESSED = """before => getComputedStyle(
    document.querySelector("figure#logit_lens .xtick text")).fill !== before"""


def test_headings_go_down_one_step_at_a_time(browser, plain):
    with ReportVisit(browser, plain) as visit:
        script = "found => found.map(h => Number(h.tagName[1]))"
        levels = visit.tab.locator("h1, h2, h3, h4").evaluate_all(script)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_beside_the_text_the_contents_tell_which_section_is_read(browser, plain):
    with ReportVisit(browser, plain, width=1400) as visit:
        for section in ("writes", "models"):
            visit.tab.locator(f".contents a[href='#{section}']").click()
            visit.tab.wait_for_selector(f".contents a[href='#{section}'][aria-current]")
        assert visit.tab.locator(".contents a[aria-current]").count() == 1
        assert visit.tab.locator(".contents").is_visible()


@pytest.mark.parametrize("width", [400, 1000, 1400])
def test_notes_and_contents_cover_nothing(browser, plain, width):
    with ReportVisit(browser, plain, width=width) as visit:
        covered = visit.tab.evaluate(COVERED)
    assert covered == []


COVERED = """() => {
    const boxes = (selector) => [...document.querySelectorAll(selector)].map((element) =>
        [element.textContent.slice(0, 30), element.getBoundingClientRect()]);
    const apart = (a, b) => a.right <= b.left || a.bottom <= b.top;
    const meet = (a, b) => !apart(a, b) && !apart(b, a);
    const others = boxes("figure, .scroll, h1, h2, h3");
    const beside = [...boxes(".note"), ...boxes(".contents")];
    return beside.flatMap(([text, box]) =>
        others.filter(([, other]) => meet(box, other)).map(([other]) => [text, other]));
}"""


def test_without_scripts_the_page_says_what_is_missing(browser, plain):
    with ReportVisit(browser, plain, java_script_enabled=False) as visit:
        assert "JavaScript is off" in visit.tab.locator("article").inner_text()
        assert visit.tab.locator("figcaption").count() == len(FIGURES)
