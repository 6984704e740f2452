"""A page as its reader sees it."""

from html.parser import HTMLParser
from unittest.mock import patch

import plotly.graph_objects as go

from analysis.declaration import Experiment
from analysis.evidence import Evidence
from report.page import ALONE, DOUBTS, POST, pages
from report.place import Place

BLANK = go.Figure(layout={"height": 100, "template": go.layout.Template()})


def undrawn():
    """While it is open, figures are blank: to draw those of a page takes a second."""
    return patch.object(Experiment, "draw", lambda *_: BLANK)


def render(study: Evidence, place: Place = ALONE, file: str = "") -> str:
    """One of a study's pages; if none is named, the full study, chapter after chapter."""
    written = pages(study, place)
    return written[file] if file else full(written)


def full(written: dict[str, str]) -> str:
    """The contents and the chapters of a study, in order."""
    return "\n".join(text for file, text in written.items() if file not in (POST, DOUBTS))


def prose(study: Evidence) -> str:
    """All that a reader reads in the full study."""
    with undrawn():
        return Prose(render(study)).text


def check_opposites(pages: tuple[str, str], said: str, opposite: str) -> None:
    """Of two sentences the one stands where the claims hold, the other where they do not."""
    holds, fails = pages
    assert said in holds
    assert opposite not in holds
    assert opposite in fails
    assert said not in fails


class Prose(HTMLParser):
    """What a reader sees of a page, and the elements and attributes it is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.elements, self.attributes = "", [], []
        self._hidden = False
        self.feed(page)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [name for name, _ in attrs]
        self._hidden = self._hidden or tag in ("script", "style")

    def handle_endtag(self, tag):
        self._hidden = self._hidden and tag not in ("script", "style")

    def handle_data(self, data):
        if not self._hidden:
            self.text += data
