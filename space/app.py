"""The page: the shared question above, a tab for each step of the argument, all of it wired."""

import os
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gradio as gr

from analysis.errors import UserError
from space import endpoints, html, service, tabs
from space.asks import MODEL, Ask, comes_unwished, known_answers, refresh
from space.leaving import VISITORS
from space.pages import Pages
from space.question_bar import NEWEST, QUIET, UNLESS_STOPPED, QuestionBar, received
from space.session import Session
from space.shelves import SHELVES, Shelf, opened
from space.view import USUAL, View, from_query

TITLE = "Which neuron says the word?"
PRESS = "() => document.getElementById('ask').click()"
STATIC = Path(__file__).parent / "static"


def build(session: Session) -> gr.Blocks:
    """The whole app over the session's models."""
    service.open_session(session)
    session.warm()
    model = session.settings.models[0]
    start = View(model=model, neuron=session.best(model, USUAL), tab=tabs.first())
    asks: list[Ask] = []
    shelves: list[Shelf] = []
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as demo:
        pages = Pages(start.tab)
        gr.HTML(html.head(start, os.environ.get("SPACE_ID", ""), pages.home))
        bar = QuestionBar(session.settings, start)
        for tab in pages:
            if tab.name in SHELVES:
                shelves.append(Shelf(tab.name))
            else:
                asks += tabs.build(tab, bar)
        _begin(asks, start, session.settings.zero)
        Wiring(bar, asks, shelves, start).all(demo, pages)
        endpoints.register()
    return demo


def _begin(asks: list[Ask], start: View, zero: bool) -> None:
    """Put the first words of the open tab on the page before anyone comes."""
    for ask in asks:
        values = [control.value for control in ask.controls.values()]
        if ask.button and not ask.quick:
            ask.button.value = ask.label(start, values)
        if zero or not ask.quick or ask.tab != start.tab:
            continue
        shown = ask.show(start, values)
        for place, value in zip(ask.panel.outputs, shown, strict=True):
            if isinstance(value, str):
                place.value = value


class Wiring:
    """Which event asks what.

    Args:
        bar: the shared question.
        asks: what the tabs ask.
        shelves: the tabs of what is committed.
        start: the view of a visitor who follows no link.
    """

    def __init__(
        self, bar: QuestionBar, asks: list[Ask], shelves: list[Shelf], start: View
    ) -> None:
        self.bar, self.asks, self.shelves, self.start = bar, asks, shelves, start
        self.quick = [ask for ask in asks if ask.quick]
        self.wished = [ask for ask in asks if not ask.quick]
        self.dear = [ask for ask in asks if ask.button and ask.experiment.has("cost")]

    def all(self, demo: gr.Blocks, pages: Pages) -> None:
        """Connect everything.

        What asks by itself, an example or an address, has the page press Ask: the page begins
        sooner, the fewer chains of events there are.
        """
        for ask in self.asks:
            ask.wire(self.bar)
        for button, parts in self.bar.examples:
            self.bar.fill(button.click, parts).then(None, js=PRESS, **QUIET)
        self._ask([self.bar.button.click, *(box.submit for box in self.bar.typed)])
        self.bar.wire.change(self._newest, self.bar.wire, None, **QUIET)
        neuron = self.bar.boxes["neuron"]
        self.bar.boxes["model"].input(self._own_neuron, neuron, neuron, **QUIET)
        boxes = [box for ask in self.dear for box in ask.controls.values()]
        gr.on(
            [self.bar.wire.change, *(box.change for box in boxes)],
            self._labels,
            [self.bar.wire, *boxes],
            [ask.button for ask in self.dear],
            **self.bar.quiet,
        )
        self.bar.listen.click(
            self._listen, None, None, trigger_mode="multiple", api_visibility="private",
            show_progress="hidden",
        )  # fmt: skip
        self.bar.stop.click(self._stop, None, None, **QUIET)
        gr.on([page.select for page in pages.all], None, js="() => openedTab()", **QUIET)
        restored = demo.load(
            self._restorer(pages), None, [*self.bar.boxes.values(), *pages.rows.values()],
            **self.bar.quiet,
        )  # fmt: skip
        restored.then(None, js="() => restoredView()", **QUIET).then(None, js=PRESS, **QUIET)

    def _ask(self, events: list[Any]) -> None:
        """On these events keep the address, and answer what the open tab answers by itself.

        What the committed study answers comes at once: nobody waits for the model.
        """
        inputs = [self.bar.wire, *(box for ask in self.quick for box in ask.controls.values())]
        outputs = [place for ask in self.quick for place in ask.panel.outputs]
        sent = self.bar.send(events)
        sent.then(
            self._refresh, inputs, outputs, concurrency_id=MODEL, api_visibility="private",
            show_progress_on=[ask.panel.finding for ask in self.quick], **UNLESS_STOPPED,
        ).then(None, js="() => refreshedAnswers()", **QUIET)  # fmt: skip
        dear = [place for ask in self.wished for place in ask.panel.outputs]
        kept = [place for shelf in self.shelves for place in shelf.outputs]
        hidden = [self.bar.heard, self.bar.unwished]
        sent.then(
            self._known, self.bar.wire, [*hidden, *dear, *kept],
            **NEWEST, **self.bar.quiet,
        )  # fmt: skip

    def _known(self, sent: Any) -> list[Any]:
        """What was asked, which the page compares, what it asks now, and the answers to it."""
        answers = known_answers(self.wished, sent)
        return [sent, comes_unwished(self.asks, sent), *answers, *opened(self.shelves, sent)]

    def _refresh(self, sent: Any, *values: Any) -> list[Any]:
        return refresh(self.quick, sent, values)

    _refresh.cache = True  # type: ignore[attr-defined]

    def _labels(self, sent: Any, *values: Any) -> list[str]:
        """What the buttons of dear questions say."""
        try:
            view = received(sent)
        except UserError:
            view = self.start
        rest = list(values)
        return [ask.label(view, [rest.pop(0) for _ in ask.controls]) for ask in self.dear]

    @staticmethod
    def _listen() -> None:
        """Nothing; but whoever asks this listens, and hears of all that was answered before."""

    _listen.cache = True  # type: ignore[attr-defined]

    @staticmethod
    def _own_neuron(neuron: Any) -> str:
        """Another model has another neuron: one that an answer brought makes room for it."""
        return "" if service.session().brought(neuron) else neuron

    @staticmethod
    def _newest(sent: Any, request: gr.Request) -> None:
        """The page asks something else now: what it asked before ends."""
        with suppress(UserError):
            VISITORS.of(str(request.session_hash)).newest = received(sent)

    @staticmethod
    def _stop(request: gr.Request) -> None:
        """All that the page waits for ends."""
        VISITORS.of(str(request.session_hash)).stopped = time.monotonic()

    def _restorer(self, pages: Pages) -> Any:
        def restore(request: gr.Request) -> dict[Any, Any]:
            """The view that the address names; another model's neuron is its own where none is."""
            query = dict(request.query_params)
            view = from_query(query, self.start)
            if view.model not in service.session().settings.models:
                view = replace(view, model=self.start.model)
            if view.model != self.start.model and "neuron" not in query:
                view = replace(view, neuron="")
            if view.tab not in pages.home:
                view = replace(view, tab=self.start.tab)
            parts = asdict(view)
            filled = {box: parts[name] for name, box in self.bar.boxes.items()}
            return {**filled, **pages.opened(view.tab)}

        return restore
