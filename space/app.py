"""The page: the shared question above, a tab for each step of the argument, all of it wired."""

import os
from collections.abc import Callable
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import gradio as gr

from space import api, html, service
from space.asks import KEEP, MODEL, QUIET, Ask, refresh
from space.question_bar import QuestionBar
from space.session import Session
from space.tabs import TABS
from space.view import View, from_query

TITLE = "Which neuron says the word?"
STATIC = Path(__file__).parent / "static"


def build(session: Session) -> gr.Blocks:
    """The whole app over the session's models."""
    service.open_session(session)
    session.warm()
    model = session.settings.models[0]
    start = View(model=model, neuron=session.best(model))
    asks: list[Ask] = []
    pages = []
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as demo:
        gr.HTML(html.head(start, os.environ.get("SPACE_ID", "")))
        bar = QuestionBar(session.settings, start)
        with gr.Tabs(selected=start.tab, elem_id="tabs") as tabs:
            for tab in TABS:
                with gr.Tab(tab.title, id=tab.name) as page:
                    asks += tab.build(tab.name, bar)
                    pages.append(page)
        if not session.settings.zero:
            _begin(asks[0], start)
        Wiring(bar, asks, start).all(demo, tabs, pages)
        api.register()
    return demo


def _begin(ask: Ask, start: View) -> None:
    """Put the first answer on the page before anyone comes, and make the next ones quick."""
    values = tuple(option.value for option in ask.options.values())
    for place, value in zip(ask.panel.outputs, ask.answer(start, values), strict=True):
        place.value = value
    service.result("intervene", start, {"length": 0})


class Wiring:
    """Which event asks what.

    Args:
        bar: the shared question.
        asks: what the tabs ask.
        start: the view of a visitor who follows no link.
    """

    def __init__(self, bar: QuestionBar, asks: list[Ask], start: View) -> None:
        self.bar, self.asks, self.start = bar, asks, start
        self.quick = [ask for ask in asks if ask.quick]

    def all(self, demo: gr.Blocks, tabs: gr.Tabs, pages: list[gr.Tab]) -> None:
        """Connect everything."""
        for ask in self.asks:
            ask.wire(self.bar.state)
        for button, view in self.bar.examples:
            filled = [getattr(self.bar, part) for part in FILLED]
            self._then_ask(button.click(_fill(view), None, filled, **QUIET))
        for box in self.bar.boxes:
            self._then_ask(box.submit(None, **QUIET))
        self._then_ask(self.bar.button.click(None, **QUIET))
        for tab, page in zip(TABS, pages, strict=True):
            page.select(None, js=f"() => openedTab('{tab.name}')", **QUIET)
        restored = demo.load(self._restore, None, [*self.bar.state, tabs], **QUIET)
        self._then_ask(restored.then(None, None, None, js="() => restoredView()", **QUIET))

    def _then_ask(self, event: Any) -> None:
        """Keep the address, and answer the quick questions of the open tab."""
        inputs = [*self.bar.state, *(o for ask in self.quick for o in ask.options.values())]
        outputs = [place for ask in self.quick for place in ask.panel.outputs]
        event.then(None, self.bar.state, None, js=KEEP, **QUIET).then(
            self._refresh, inputs, outputs, concurrency_id=MODEL, api_visibility="private"
        )

    def _refresh(self, *values: Any) -> list[Any]:
        return refresh(self.quick, values)

    def _restore(self, request: gr.Request) -> list[Any]:
        """The view that the address names."""
        view = from_query(dict(request.query_params), self.start)
        if view.model not in service.session().settings.models:
            view = replace(view, model=self.start.model)
        if view.tab not in {tab.name for tab in TABS}:
            view = replace(view, tab=self.start.tab)
        return [*astuple(view), gr.update(selected=view.tab)]


FILLED = ("clean", "corrupted", "target", "foil", "text")
"""What an example sets; the neuron and the model stay as they are."""


def _fill(view: View) -> Callable[[], list[str]]:
    return lambda: [getattr(view, part) for part in FILLED]
