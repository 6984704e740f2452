"""One browser for all tests, and pages that several of them look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis import EMBEDDED, questions, results
from report import files
from report.build import build
from report.page import POST
from report.place import Place
from space import service
from tests.browser.chromium import ARGUMENTS, CHROMIUM, WAIT, sync_playwright
from tests.browser.space_page import SpaceVisit
from tests.space.server import Server, serving, tiny
from tests.synthetic import Plan, hostile_plan, save


@pytest.fixture(scope="package")
def browser() -> Iterator:
    with sync_playwright() as session:
        chromium = session.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        shared = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
        shared.set_default_timeout(WAIT)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def context(browser):
    """One cache and one clipboard for all visits."""
    return browser.contexts[0]


@pytest.fixture(scope="package")
def running() -> Iterator[Server]:
    """The app over a tiny random model."""
    with serving(tiny()) as server:
        yield server


@pytest.fixture(scope="module")
def address(running) -> str:
    """Where it is served, whatever another module served before."""
    service.open_session(running.session)
    return running.address


@pytest.fixture(scope="module")
def visit(context, address) -> Iterator[SpaceVisit]:
    """One page for tests that go on where another left it: to begin anew takes seconds."""
    with SpaceVisit(context, address) as visit:
        yield visit


def page_of(index: Path) -> Path:
    """The contents of the only study, found from the index."""
    (page,) = index.parent.glob("*/*/study.html")
    return page


def chapter(study: Path, name: str) -> Path:
    """A chapter's page, beside the contents of its study."""
    return study.with_name(f"{name}.html")


def pages_of(study: Path) -> list[Path]:
    """The contents of a study, its chapters and its doubts: all but the short post."""
    return sorted(page for page in study.parent.glob("*.html") if page.name != POST)


def built(factory: pytest.TempPathFactory, plan: Plan, place: Place = Place()) -> Path:  # noqa: B008
    folder = factory.mktemp("pages")
    save(plan, folder / "results")
    return page_of(build(folder / "results", folder / "dist", place))


@pytest.fixture(scope="session")
def committed(tmp_path_factory) -> Path:
    """The contents of the committed study."""
    out = tmp_path_factory.mktemp("committed") / "dist"
    studies = {"model": EMBEDDED, "question": questions.DEFAULT}
    return page_of(build(results.COMMITTED, out, **studies))


@pytest.fixture(scope="session")
def plain(tmp_path_factory) -> Path:
    return built(tmp_path_factory, Plan())


@pytest.fixture(scope="session")
def hostile(tmp_path_factory) -> Path:
    return built(tmp_path_factory, hostile_plan())


@pytest.fixture(scope="session")
def stills(tmp_path_factory) -> Path:
    """A page with an image of every figure; two are drawn, which stand in for the others."""

    def some(figures, *options):
        first = draw(dict(list(figures.items())[:2]), *options)
        return {f"{name}.png": next(iter(first.values())) for name in figures} | first

    draw = files.draw
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BROWSER_PATH", str(CHROMIUM))
        patched.setattr(files, "draw", some)
        return built(tmp_path_factory, Plan(), Place(stills=True))
