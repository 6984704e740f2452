"""The committed pages as pictures, section by section, at three widths, for who reviews them.

Run with ``make screens``; it needs Chromium, which playwright drives.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from analysis import EMBEDDED, questions, results
from report.build import build

OUT = Path("build/screens")
WIDTHS = {400: "dark", 1000: "light", 1400: "light"}
"""Widths in pixels, and the scheme in which each is taken."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def take(pages: Sequence[Path], out: Path, browser: Browser) -> list[Path]:
    """Write a picture of each section of pages at each width.

    Args:
        pages: of a study.
        out: the folder to write.
        browser: what draws.

    Returns:
        Where the pictures are.
    """
    out.mkdir(parents=True, exist_ok=True)
    return [path for width in WIDTHS for path in _at(browser, pages, out, width)]


def _at(browser: Browser, pages: Sequence[Path], out: Path, width: int) -> Iterator[Path]:
    """The pictures of one width."""
    viewport = {"width": width, "height": 1200}
    tab = browser.new_page(viewport=viewport, color_scheme=WIDTHS[width])  # type: ignore[arg-type]
    for page in pages:
        tab.goto(page.as_uri())
        _unfold(tab)
        for section in tab.locator("article > section").all():
            path = out / f"{page.stem}_{section.get_attribute('id') or 'chapters'}_{width}.png"
            _draw_all(section)
            section.screenshot(path=path)
            yield path
    tab.close()


def _unfold(tab: Page) -> None:
    """Show what readers are to guess first."""
    for _ in range(tab.locator(".guess .ask button").count()):
        tab.locator(".guess .ask button").first.click()


def _draw_all(section: Locator) -> None:
    """Wait for a section's figures, each of which is drawn when it comes near."""
    for plot in section.locator(".plot").all():
        plot.evaluate("place => place.scrollIntoView()")  # which waits for no frame
        plot.locator("svg.main-svg").first.wait_for()


def main() -> None:
    """Build the committed study's pages and take their pictures."""
    chromium = os.environ.get("BROWSER_PATH") or shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory() as scratch:
        index = build(results.COMMITTED, Path(scratch) / "dist", model=EMBEDDED)
        pages = sorted((index.parent / EMBEDDED / questions.DEFAULT).glob("*.html"))
        with sync_playwright() as session:
            browser = session.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            print(f"{len(take(pages, OUT, browser))} pictures in {OUT}")


if __name__ == "__main__":
    main()
