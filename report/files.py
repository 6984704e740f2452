"""What lies beside a page: its numbers as JSON and, where there is a browser, its figures."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from report.images import draw, find_browser
from report.place import STILL_WIDTH

STILL_SCALE = 1.25
"""Pixels of a still image for each of the page's: the page stays small."""


def write_data(home: Path, name: str, document: Mapping[str, Any]) -> None:
    """A result and where it came from, as JSON."""
    (home / "data").mkdir(exist_ok=True)
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    (home / "data" / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def write_stills(home: Path, plots: Mapping[str, go.Figure]) -> None:
    """Figures as images for who reads without JavaScript.

    Raises:
        UserError: there is no browser to draw them.
    """
    (home / "images").mkdir(exist_ok=True)
    stills = draw(plots, find_browser(), ("png",), STILL_WIDTH, STILL_SCALE)
    for name, content in stills.items():
        (home / "images" / name).write_bytes(content)
