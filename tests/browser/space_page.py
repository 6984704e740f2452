"""The Space in a browser: a server over a tiny random model, and a visit to it."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest

from space.app import build
from space.launch import launch
from space.session import Session
from space.settings import Settings
from tests.browser.chromium import NEEDED, Visit
from tests.conftest import make_subject

MARKS = [*NEEDED, pytest.mark.filterwarnings("ignore")]
"""Of a module that serves the app: the server's threads warn of their own."""

WAIT = 15_000
"""Milliseconds until a condition has to hold."""

TABS = {
    "activations": "Activations",
    "patching": "Patching",
    "direct-effect": "Direct logit effect",
    "corpus": "Corpus",
    "upstream": "Upstream",
    "composition": "Composition",
    "ablation": "Ablation",
    "find": "Find a neuron",
    "story": "Story",
}

DRAWN = """([panel, number]) => {
    const shown = [...document.querySelectorAll(".answer")].filter(e => e.offsetParent)[panel];
    if (!shown) return false;
    const plots = [...shown.querySelectorAll(".js-plotly-plot")].filter(e => e.offsetParent);
    return plots.length === number && plots.every(
        e => e.offsetHeight > 100 && e.dressed && e.querySelector("svg.main-svg"));
}"""


def tiny() -> Session:
    """A session over one tiny random model, in whose vocabulary the default prompts are."""
    return Session(Settings(models=("tiny",)), loader=lambda _name, _device: make_subject("llama"))


@contextmanager
def served(session: Session) -> Iterator[str]:
    """The address of the app on a server of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    demo = build(session)
    launch(demo, prevent_thread_lock=True, server_name="127.0.0.1", server_port=port, quiet=True)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        demo.close()


class SpaceVisit(Visit):
    """The app's page, open; when it is left, nothing has gone wrong and nothing went out."""

    def __init__(
        self, context, address: str, width: int = 1400, scheme: str = "light", **view: str
    ) -> None:
        self.start = address
        context.set_default_timeout(WAIT)
        self._size, self._scheme = {"width": width, "height": 900}, scheme
        super().__init__(context, "about:blank", (address, "about:blank"))
        self.tab.set_viewport_size(self._size)
        self.tab.emulate_media(color_scheme=scheme)
        self.open(**view)

    def __exit__(self, kind: object, *_: object) -> None:
        self.tab.close()
        if kind is None:
            assert self.outside == []
            assert self.trouble == [], self.trouble

    def open(self, tail: str = "", **view: str) -> None:
        """Come anew, to a view."""
        self.tab.goto(self.start + (tail or (f"?{urlencode(view)}" if view else "")))
        self.ready()

    def ready(self) -> None:
        """Wait until the view is restored."""
        self.tab.wait_for_selector("#asked:not(:empty)")

    def go(self, name: str) -> None:
        """Open a tab by its name in the address."""
        self.tab.get_by_role("tab", name=TABS[name], exact=True).click()
        self.see_tab(name)

    def see_tab(self, name: str) -> None:
        """Wait until a tab is open."""
        self.tab.wait_for_selector(f"[role=tab][aria-selected=true]:has-text('{TABS[name]}')")
        self.tab.wait_for_selector("[role=tabpanel]:visible")

    def press(self, name: str) -> None:
        """Press a button."""
        self.tab.get_by_role("button", name=name, exact=True).click()

    def panel(self, number: int):
        """One of the answers' places on the open tab."""
        return self.tab.locator(".answer:visible").nth(number)

    def see_answer(self, number: int = 0, figures: int = 0) -> str:
        """Wait for an answer and its figures; the finding, a sentence."""
        told = self.panel(number).locator("[role=status]").inner_text()
        self.tab.wait_for_function(DRAWN, arg=[number, figures])
        return told

    def see_error(self, number: int = 0) -> str:
        """Wait for an error: one sentence in the place of the answer."""
        return self.panel(number).get_by_role("alert").inner_text()

    def write(self, **boxes: str) -> None:
        """Write into the boxes of the shared question."""
        self.unfold()
        for name, value in boxes.items():
            self.box(name).fill(value)

    def unfold(self) -> None:
        """Open the shared question."""
        if not self.tab.locator("#clean").is_visible():
            self.tab.get_by_role("button", name="Ask another question").click()

    def box(self, name: str):
        """A box of the shared question, or the visitor's text."""
        return self.tab.locator(f"#{name} textarea, #{name} input")

    def ask(self, **boxes: str) -> None:
        """Ask another question; wait until the page says it is asked."""
        self.write(**boxes)
        self.press("Ask")
        self.see_view(**boxes)

    def see_view(self, **parts: str) -> None:
        """Wait until the address names these parts of the view."""
        self.tab.wait_for_function(
            """parts => { const at = new URLSearchParams(location.search);
            return Object.entries(parts).every(([name, value]) => at.get(name) === value); }""",
            arg=parts,
        )

    def see_tokens(self, neuron: str) -> None:
        """Wait until the tokens are tinted by this neuron."""
        self.tab.wait_for_selector(f".tokens[aria-label$='activation of {neuron}']")

    def neuron(self) -> str:
        """The neuron that the page says is asked about."""
        said = self.tab.locator("#asked").inner_text()
        return re.match(r"Now: (\S+)", said).group(1)
