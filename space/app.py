"""The page: the shared question above, a tab for each step of the argument, all of it wired."""

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gradio as gr

from space import endpoints, html, service, tabs
from space.asks import MODEL, Ask, refresh
from space.question_bar import QUIET, QuestionBar
from space.session import Session
from space.view import USUAL, View, from_query

TITLE = "Which neuron says the word?"
STATIC = Path(__file__).parent / "static"


def build(session: Session) -> gr.Blocks:
    """The whole app over the session's models."""
    service.open_session(session)
    session.warm()
    model = session.settings.models[0]
    start = View(model=model, neuron=session.best(model, USUAL), tab=tabs.first())
    asks: list[Ask] = []
    pages = {}
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as demo:
        gr.HTML(html.head(start, os.environ.get("SPACE_ID", "")))
        bar = QuestionBar(session.settings, start)
        with gr.Tabs(selected=start.tab, elem_id="tabs") as all_tabs:
            for tab in tabs.tabs():
                with gr.Tab(tab.title, id=tab.name, elem_id=f"tab-{tab.name}") as pages[tab.name]:
                    asks += tabs.build(tab, bar)
        quick = [ask for ask in asks if ask.quick]
        if not session.settings.zero:
            _begin(quick, start)
        Wiring(bar, asks, start).all(demo, all_tabs, pages)
        endpoints.register()
    return demo


def _begin(quick: list[Ask], start: View) -> None:
    """Put the first words on the page before anyone comes, and make the next answers quick."""
    for ask in quick:
        shown = ask.show(start, [control.value for control in ask.controls.values()])
        for place, value in zip(ask.panel.outputs, shown, strict=True):
            if ask.tab == start.tab and isinstance(value, str):
                place.value = value


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

    def all(self, demo: gr.Blocks, all_tabs: gr.Tabs, pages: dict[str, gr.Tab]) -> None:
        """Connect everything."""
        for ask in self.asks:
            ask.wire(self.bar)
        for button, parts in self.bar.examples:
            self._ask(self.bar.fill(button.click, parts).then)
        for box in self.bar.typed:
            self._ask(box.submit)
        self._ask(self.bar.button.click)
        for name, page in pages.items():
            page.select(None, js=f"() => openedTab('{name}')", **QUIET)
        restored = demo.load(
            self._restorer(all_tabs, set(pages)),
            None,
            [*self.bar.boxes.values(), all_tabs],
            **QUIET,
        )
        self._ask(restored.then(None, None, None, js="() => restoredView()", **QUIET).then)

    def _ask(self, event: Any) -> None:
        """On an event keep the address, and answer the quick experiments of the open tab."""
        inputs = [self.bar.wire, *(box for ask in self.quick for box in ask.controls.values())]
        outputs = [place for ask in self.quick for place in ask.panel.outputs]
        self.bar.send(event).then(
            self._refresh, inputs, outputs, concurrency_id=MODEL, api_visibility="private"
        )

    def _refresh(self, sent: Any, *values: Any) -> list[Any]:
        return refresh(self.quick, sent, values)

    def _restorer(self, all_tabs: gr.Tabs, names: set[str]) -> Any:
        def restore(request: gr.Request) -> dict[Any, Any]:
            """The view that the address names."""
            view = from_query(dict(request.query_params), self.start)
            if view.model not in service.session().settings.models:
                view = replace(view, model=self.start.model)
            if view.tab not in names:
                view = replace(view, tab=self.start.tab)
            parts = asdict(view)
            filled = {box: parts[name] for name, box in self.bar.boxes.items()}
            return {**filled, all_tabs: gr.update(selected=view.tab)}

        return restore
