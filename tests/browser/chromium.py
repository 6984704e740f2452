"""Debian's Chromium, and a page that is open in it with all that it said and asked for."""

import re
import shutil

import pytest

try:
    from playwright.sync_api import sync_playwright
except ImportError:
    sync_playwright = None

BARE = shutil.which("chromium-headless-shell")
"""Chromium without windows: each page takes it half the work."""

CHROMIUM = BARE or shutil.which("chromium")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    *["--renderer-process-limit=1"] * bool(BARE),  # what one page compiled, the next one has
]
NEEDED = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine"),
    pytest.mark.skipif(sync_playwright is None, reason="playwright is not installed"),
]
"""Marks of a module whose tests drive the browser."""

WAIT = 240_000
"""Milliseconds after which a condition is given up: no test waits for a time, and however busy the
machine is, every condition holds at last."""

LEFT = re.compile(r"AbortError: signal is aborted without reason\s+at \w+ \(\S+/assets/index-")
"""What gradio's client says of a stream that it gives up because its page is left."""

ASK = """async ([within, rule]) => {
    // plotly's inside has no text that axe judges, and it would be read all the same
    const drawings = [...document.querySelectorAll("svg.main-svg")];
    const drawn = drawings.map((svg) => [svg, [...svg.childNodes]]);
    drawn.forEach(([svg]) => svg.replaceChildren());
    const only = rule ? { runOnly: [rule] } : {};
    const found = await axe.run(within ? { include: [within] } : document,
        { preload: false, resultTypes: ["violations"], selectors: false, ...only });
    drawn.forEach(([svg, nodes]) => svg.append(...nodes));
    return found.violations.map((fault) =>
        [fault.id, fault.impact, fault.nodes.slice(0, 3).map((node) => node.html.slice(0, 200))]);
}"""


class Visit:
    """A page that is open.

    Args:
        context: a browser's context: the page is closed alone.
        address: where it is.
        home: beginnings of the addresses that it may ask.
        size: of the window, in pixels.
        media: what the system prefers, such as ``color_scheme``.
    """

    def __init__(
        self,
        context,
        address: str,
        home: tuple[str, ...],
        size: tuple[int, int] = (1400, 900),
        **media: str,
    ) -> None:
        self.home = (*home, "data:", "blob:")
        self.outside: list[str] = []
        self.trouble: list[str] = []
        self.tab = context.new_page()
        self.tab.set_default_timeout(WAIT)
        self.resize(*size)
        self.tab.emulate_media(**media)
        self.tab.on("request", self._request)
        self.tab.on("console", self._console)
        self.tab.on("pageerror", self._failed)
        self.tab.on("dialog", self._dialog)
        self.tab.on("popup", lambda other: self.trouble.append(f"popup: {other.url}"))
        self.tab.goto(address)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self.tab.close()

    def _request(self, request) -> None:
        if not request.url.startswith(self.home):
            self.outside.append(request.url)

    def _console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.trouble.append(message.text)

    def _failed(self, error) -> None:
        if not LEFT.match(str(error)):
            self.trouble.append(str(error))

    def _dialog(self, dialog) -> None:
        self.trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def resize(self, width: int, height: int) -> None:
        self.tab.set_viewport_size({"width": width, "height": height})

    def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return self.tab.evaluate(script)

    def faults(self, within: str = "", rule: str = "") -> list:
        """What axe-core finds wrong with the page, or a part of it: rule, weight and elements.

        One rule alone is quick.
        """
        axe = pytest.importorskip("axe_playwright_python.base", reason="axe-core is not installed")
        if not self.tab.evaluate("'axe' in window"):
            self.tab.evaluate(axe.AXE_SCRIPT)
        return self.tab.evaluate(ASK, [within, rule])
