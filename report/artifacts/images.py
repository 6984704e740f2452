"""Publication figures from one session of a browser, alike in width, theme and letters."""

import asyncio
import io
import re
from collections.abc import Mapping
from pathlib import Path

import plotly.graph_objects as go

from analysis.errors import UserError
from analysis.figures.style import themed

FORMATS = ("svg", "pdf", "png")
PIXELS = 96
"""Per inch, in the browser."""
WIDTH = 528
"""Pixels: 5.5 inches, the text of a page with one column. Letters of 12 pixels are 9 points."""
DPI = 300
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""Letters of one width under three names, so that a figure looks alike wherever it is drawn."""

NO_BROWSER = "There is no Chromium or Chrome to draw with: install one, or name it in BROWSER_PATH."


def find_browser() -> Path:
    """The browser that BROWSER_PATH names, or one of this machine.

    Raises:
        UserError: there is none, or no kaleido to drive it.
    """
    try:
        from choreographer.browsers.chromium import Chromium
    except ImportError as error:
        raise UserError(
            "kaleido is not installed: `pip install -r requirements-dev.txt`."
        ) from error
    found = Chromium.find_browser(skip_local=False)
    if not found or not Path(found).is_file():
        raise UserError(NO_BROWSER)
    return Path(found)


def draw(figures: Mapping[str, go.Figure], browser: Path) -> dict[str, bytes]:
    """Draw figures for print, each as SVG, PDF and PNG.

    Args:
        figures: by name.
        browser: the program that draws.

    Returns:
        Content by file name. It does not depend on when it is drawn, only on browser and fonts.

    Raises:
        UserError: the browser does not start, or ends too early.
    """
    from choreographer.errors import BrowserClosedError, BrowserFailedError

    try:
        drawn = asyncio.run(_draw({name: dressed(f) for name, f in figures.items()}, browser))
    except (BrowserClosedError, BrowserFailedError, OSError) as error:
        raise UserError(f"The browser {browser} cannot draw: {type(error).__name__}.") from error
    return {name: _steady(name, content) for name, content in drawn.items()}


def dressed(figure: go.Figure) -> go.Figure:
    """A figure as it is printed: light, on white, as wide as a column of text."""
    printed = themed(figure, "light")
    for part in (printed.layout, printed.layout.template.layout):
        part.font.family = FONT
    for number, trace in enumerate(printed.data):
        trace.uid = f"series{number}"  # the browser would draw one at random
    return printed.update_layout(
        paper_bgcolor="white", plot_bgcolor="white", width=WIDTH, autosize=False
    )


async def _draw(figures: Mapping[str, go.Figure], browser: Path) -> dict[str, bytes]:
    from kaleido import Kaleido

    drawn = {}
    async with Kaleido(mathjax=False, path=str(browser)) as session:
        for name, figure in figures.items():
            for kind in FORMATS:
                size = {"width": WIDTH, "height": int(figure.layout.height)}
                scale = DPI / PIXELS if kind == "png" else 1
                options = {"format": kind, "scale": scale, **size}
                drawn[f"{name}.{kind}"] = await session.calc_fig(figure, options)
    return drawn


def _steady(name: str, content: bytes) -> bytes:
    """The same without what changes from run to run."""
    return {"svg": _named_alike, "pdf": _undated, "png": _sized}[name.rpartition(".")[2]](content)


def _named_alike(svg: bytes) -> bytes:
    """The ids of an SVG have six random digits in common."""
    drawn = re.search(rb'"defs-([0-9a-f]{6})"', svg)
    return re.sub(rb"([a-z]-?)" + drawn[1], rb"\g<1>neuron", svg) if drawn else svg


def _undated(pdf: bytes) -> bytes:
    """The dates of a PDF, at their lengths, since it counts its bytes."""
    return re.sub(rb"(Date \(D:)\d{14}", rb"\g<1>20000101000000", pdf)


def _sized(png: bytes) -> bytes:
    """Opaque, with its resolution told, which the browser leaves out."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image, io.BytesIO() as file:
        image.convert("RGB").save(file, "png", dpi=(DPI, DPI), optimize=False)
        return file.getvalue()
