"""The places of the tabs: rows within a row, where several stand in one group."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from space import tabs
from space.tabs import Tab, group_id, grouped


class Pages:
    """Opens the tabs one after the other, so that what is built then stands on them.

    Args:
        start: name of the tab that is open at first.

    Attributes:
        rows: the rows of tabs by their names; the outer one has none.
        home: the row of each tab by its name.
        all: every tab of every row.
    """

    def __init__(self, start: str) -> None:
        self.start = start
        self.rows: dict[str, gr.Tabs] = {}
        self.home = {tab.name: "" for tab in tabs.tabs()}
        self.all: list[gr.Tab] = []
        for title, group in grouped().items():
            if len(group) > 1:
                self.home |= {tab.name: group_id(title) for tab in group}

    def __iter__(self) -> Iterator[Tab]:
        """Every tab, while it is open to be built on."""
        with gr.Tabs(selected=self.home[self.start] or self.start, elem_id="tabs") as row:
            self.rows[""] = row
            for title, group in grouped().items():
                yield from self._one(group[0]) if len(group) == 1 else self._several(title, group)

    def _one(self, tab: Tab) -> Iterator[Tab]:
        with gr.Tab(tab.title, id=tab.name, elem_id=f"tab-{tab.name}") as page:
            yield tab
        self.all.append(page)

    def _several(self, title: str, group: list[Tab]) -> Iterator[Tab]:
        name = group_id(title)
        first = self.start if self.home[self.start] == name else group[0].name
        with (
            gr.Tab(title, id=name, elem_id=name) as page,
            gr.Tabs(selected=first, elem_classes="within") as row,
        ):
            self.rows[name] = row
            for tab in group:
                yield from self._one(tab)
        self.all.append(page)

    def opened(self, name: str) -> dict[Any, Any]:
        """Updates of the rows that open a tab."""
        home = self.home[name]
        outer = {self.rows[""]: gr.update(selected=home or name)}
        return {**outer, self.rows[home]: gr.update(selected=name)} if home else outer
