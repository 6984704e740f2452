"""The report's page, open in a browser."""

from pathlib import Path

from analysis.figures import FIGURES
from tests.browser.chromium import Visit


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
