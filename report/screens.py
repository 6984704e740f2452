"""The committed page as pictures, section by section, at three widths, for who reviews it.

Run with ``make screens``; it needs Chromium, which playwright drives.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from analysis import EMBEDDED, questions, results
from report.build import build

OUT = Path("build/screens")
WIDTHS = {400: "dark", 1000: "light", 1400: "light"}
"""Widths in pixels, and the scheme in which each is taken."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def take(page: Path, out: Path, browser: Browser, sections: Sequence[str] = ()) -> list[Path]:
    """Write a picture of each section at each width.

    Args:
        page: the report.
        out: the folder to write.
        browser: what draws.
        sections: which ones, by id; all if none is named.

    Returns:
        Where the pictures are.
    """
    out.mkdir(parents=True, exist_ok=True)
    return [path for width in WIDTHS for path in _at(browser, page, out, width, sections)]


def _at(
    browser: Browser, page: Path, out: Path, width: int, sections: Sequence[str]
) -> Iterator[Path]:
    """The pictures of one width."""
    viewport = {"width": width, "height": 1200}
    tab = browser.new_page(viewport=viewport, color_scheme=WIDTHS[width])  # type: ignore[arg-type]
    tab.goto(page.as_uri())
    every = "found => found.map(section => section.id)"
    for name in sections or tab.locator("article > section").evaluate_all(every):
        _draw_all(tab, name)
        path = out / f"{name}_{width}.png"
        tab.locator(f"article > section#{name}").screenshot(path=path)
        yield path
    tab.close()


def _draw_all(tab: Page, name: str) -> None:
    """Wait for a section's figures, each of which is drawn when it comes near."""
    for plot in tab.locator(f"#{name} .plot").all():
        plot.scroll_into_view_if_needed()
        plot.locator("svg.main-svg").first.wait_for()


def main() -> None:
    """Build the committed study's page and take its pictures."""
    chromium = os.environ.get("BROWSER_PATH") or shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory() as scratch:
        index = build(results.COMMITTED, Path(scratch) / "dist", model=EMBEDDED)
        page = index.parent / EMBEDDED / questions.DEFAULT / index.name
        with sync_playwright() as session:
            browser = session.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            print(f"{len(take(page, OUT, browser))} pictures in {OUT}")


if __name__ == "__main__":
    main()
