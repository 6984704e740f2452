"""The Space in a browser: a server over a tiny random model, and a visit to it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest

from space import tabs
from tests.browser.chromium import NEEDED, Visit

MARKS = [*NEEDED, pytest.mark.filterwarnings("ignore")]
"""Of a module that serves the app: the server's threads warn of their own."""


def titles() -> dict[str, str]:
    """Titles of the tabs by their names in the address."""
    return {tab.name: tab.title for tab in tabs.tabs()}


def groups() -> dict[str, str]:
    """The group in which each tab stands, by its name in the address; empty where it is alone."""
    return {t.name: title if len(g) > 1 else "" for title, g in tabs.grouped().items() for t in g}


TABS = titles()
"""Those of the experiments that come with the project."""

FIRST = tabs.first()
"""The tab that a visitor begins with."""


def live(experiment) -> int:
    """How many figures the app draws of an answer."""
    return sum(figure.live for figure in experiment.figures)


DRAWN = """([panel, number]) => {
    const shown = [...document.querySelectorAll(panel)].find(e => e.offsetParent);
    if (!shown) return false;
    const plots = [...shown.querySelectorAll(".js-plotly-plot")].filter(e => e.offsetParent);
    return plots.length === number && plots.every(
        e => e.offsetHeight > 100 && e.dressed && e.querySelector("svg.main-svg"));
}"""


PENDING = """() => new Promise((done) => setTimeout(done, 10)).then(
    () => document.body.classList.contains("pending"))"""
IDLE = 1000
"""How often a page is found to wait for nothing before a stream that is open counts as idle: gradio
may open one when the last answer has come, which the server ends with the next."""


class Asked:
    """The questions of a page that are not answered yet.

    Gradio sends a question by one request and hears of all answers on another, which ends with the
    last of them. Of two questions that are asked at once it may lose one, so tests ask in turn.

    Attributes:
        count: how often the page asked; that it listens anew, which names nothing, is no question.
        questions: what it asked, each once: on a busy machine it asks the same again.
    """

    def __init__(self, tab) -> None:
        self.count, self.questions = 0, set()
        self._tab, self._open, self._unheard = tab, set(), False
        tab.on("request", self._begun)
        tab.on("requestfinished", self._ended)
        tab.on("requestfailed", self._ended)

    def _begun(self, request) -> None:
        if "/queue/join" in request.url:
            asked = request.post_data_json
            self.count += bool(asked["data"])
            self.questions |= {request.post_data} if asked["data"] else set()
            self._open.add(request)
        elif "/queue/data" in request.url:
            self._unheard = False
            self._open.add(request)

    def _ended(self, request) -> None:
        if request in self._open:
            self._open.remove(request)
            if "/queue/join" in request.url:
                self._unheard = not any("/queue/data" in each.url for each in self._open)

    @contextmanager
    def once_more(self) -> Iterator[None]:
        """What is done in this asks something; it ends when all is answered."""
        before, idle = self.count, 0
        yield
        while self.count == before or self._unheard or (self._open and idle < IDLE):
            busy = self._tab.evaluate(PENDING)
            listening = all("/queue/data" in each.url for each in self._open)
            idle = idle + 1 if listening and not busy else 0


class SpaceVisit(Visit):
    """The app's page, open; when it is left, nothing has gone wrong and nothing went out."""

    def __init__(
        self, context, address: str, width: int = 1400, scheme: str = "light", **view: str
    ) -> None:
        self.start = address
        home = (address, "about:blank")
        super().__init__(context, "about:blank", home, (width, 900), color_scheme=scheme)
        self.asked = Asked(self.tab)
        self.open(**view)

    def __exit__(self, kind: object, *_: object) -> None:
        self.tab.close()
        if kind is None:
            assert self.outside == []
            assert self.trouble == [], self.trouble

    def open(self, **view: str) -> None:
        """Come anew, to a view, and wait until it is restored and answered."""
        with self.asked.once_more():
            self.tab.goto(self.start + (f"?{urlencode(view)}" if view else ""))
            self.ready()

    def ready(self) -> None:
        """Wait until the view is restored."""
        self.tab.wait_for_selector("#asked:not(:empty)")

    def go(self, name: str) -> None:
        """Open another tab by its name in the address, and wait for what it answers by itself."""
        with self.asked.once_more():
            self.click_tab(name)
            self.see_tab(name)

    def click_tab(self, name: str) -> None:
        """Press a tab, and first the group in which it stands where that is not open yet."""
        own = self.tab.get_by_role("tab", name=titles()[name], exact=True)
        if groups()[name] and not own.is_visible():
            self.tab.get_by_role("tab", name=groups()[name], exact=True).click()
        own.click()

    def see_tab(self, name: str) -> None:
        """Wait until a tab is open."""
        opened = self.tab.locator(f"#tab-{name}-button[aria-selected=true]")
        opened.get_by_text(titles()[name], exact=True).wait_for()
        self.tab.wait_for_selector("[role=tabpanel]:visible")

    def press(self, name: str) -> None:
        """Press a button that asks, and wait until it is answered."""
        with self.asked.once_more():
            self.button(name).click()

    def button(self, name: str):
        """A button by what it does; how long that takes may stand behind it."""
        found = re.compile(rf"^{re.escape(name)}( \(about .+\))?$")
        return self.tab.get_by_role("button", name=found)

    def panel(self, experiment: str):
        """The place of an experiment's answer on the open tab."""
        return self.tab.locator(f".answer-{experiment}:visible, .foot-{experiment}:visible")

    def see_answer(self, experiment: str, figures: int = 0) -> str:
        """Wait for an answer and its figures; the finding, a sentence."""
        text = self.panel(experiment).locator("[role=status]").inner_text()
        self.tab.wait_for_function(DRAWN, arg=[f".answer-{experiment}", figures])
        return text

    def see_command(self, experiment: str, part: str):
        """Wait until the command below an answer has a part: it is another answer than before."""
        command = self.panel(experiment).locator(".take code", has_text=part)
        command.wait_for()
        return command

    def see_error(self, experiment: str) -> str:
        """Wait for an error: one sentence in the place of the answer."""
        return self.panel(experiment).get_by_role("alert").inner_text()

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
