"""Figures as files, from one session of a browser, alike in theme and letters."""

import asyncio
import io
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from analysis.drawing.style import themed
from analysis.errors import UserError

if TYPE_CHECKING:
    from kaleido import Kaleido

FORMATS = ("svg", "pdf", "png")
PIXELS = 96
"""Per inch, in the browser."""
WIDTH = 528
"""Pixels: 5.5 inches, the text of a page with one column. Letters of 12 pixels are 9 points."""
DPI = 300
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""Letters of one width under three names, so that a figure looks alike wherever it is drawn."""

TRIES = 3
"""How often a browser is started that ends by itself."""

GRACE = 20.0
"""Seconds in which all that waits for a browser has to hear that it has ended."""

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


def draw(
    figures: Mapping[str, go.Figure],
    browser: Path,
    formats: Sequence[str] = FORMATS,
    width: int = WIDTH,
    scale: float = DPI / PIXELS,
) -> dict[str, bytes]:
    """Draw figures in light colours on white.

    Args:
        figures: by name; each says its height.
        browser: the program that draws.
        formats: some of ``FORMATS``.
        width: in the browser's pixels, 96 to an inch.
        scale: pixels of a PNG for each of the browser's.

    Returns:
        Content by file name. It does not depend on when it is drawn, only on browser and fonts.

    Raises:
        UserError: the browser does not start, or ends too early.
    """
    from choreographer.errors import BrowserClosedError, BrowserFailedError

    printed = {name: dressed(figure, width) for name, figure in figures.items()}
    failed: Exception | None = None
    for _ in range(TRIES):
        try:
            with ThreadPoolExecutor(1) as apart:  # a notebook's own thread has a loop that runs
                session = _draw(printed, browser, formats, scale)
                drawn = apart.submit(asyncio.run, session).result()
            return {name: _steady(name, content, scale) for name, content in drawn.items()}
        except (BrowserClosedError, BrowserFailedError, OSError) as error:
            failed = error
    raise UserError(f"The browser {browser} cannot draw: {type(failed).__name__}.") from failed


def dressed(figure: go.Figure, width: int = WIDTH) -> go.Figure:
    """A figure as it is printed: light, on white, of one width, its letters found everywhere."""
    printed = themed(figure, "light")
    for part in (printed.layout, printed.layout.template.layout):
        part.font.family = FONT
    for number, trace in enumerate(printed.data):
        trace.uid = f"series{number}"  # the browser would draw one at random
    return printed.update_layout(
        paper_bgcolor="white", plot_bgcolor="white", width=width, autosize=False
    )


async def _draw(
    figures: Mapping[str, go.Figure], browser: Path, formats: Sequence[str], scale: float
) -> dict[str, bytes]:
    """Draw in one session; a browser that ends while it is waited for is an error.

    Its pipes may stay open in a process of its own, and then nothing else tells that it ended.
    """
    from choreographer.errors import BrowserClosedError
    from kaleido import Kaleido

    session = Kaleido(mathjax=False, path=str(browser))
    drawing = asyncio.create_task(_drawn(session, figures, formats, scale))
    while not drawing.done():
        await asyncio.wait({drawing}, timeout=1.0)
        process = getattr(session, "subprocess", None)
        if process is not None and process.poll() is not None:
            await asyncio.wait({drawing}, timeout=GRACE)
            if not drawing.done():
                drawing.cancel()
                raise BrowserClosedError
    return drawing.result()


async def _drawn(
    kaleido: "Kaleido", figures: Mapping[str, go.Figure], formats: Sequence[str], scale: float
) -> dict[str, bytes]:
    drawn = {}
    async with kaleido as session:
        for name, figure in figures.items():
            size = {"width": figure.layout.width, "height": int(figure.layout.height)}
            for kind in formats:
                options = {"format": kind, "scale": scale if kind == "png" else 1, **size}
                drawn[f"{name}.{kind}"] = await session.calc_fig(figure, options)
    return drawn


def _steady(name: str, content: bytes, scale: float) -> bytes:
    """The same without what changes from run to run, and a PNG with its resolution."""
    if name.endswith(".png"):
        return _sized(content, round(scale * PIXELS))
    return _undated(content) if name.endswith(".pdf") else _named_alike(content)


def _named_alike(svg: bytes) -> bytes:
    """The ids of an SVG have six random digits in common."""
    drawn = re.search(rb'"defs-([0-9a-f]{6})"', svg)
    return re.sub(rb"([a-z]-?)" + drawn[1], rb"\g<1>neuron", svg) if drawn else svg


def _undated(pdf: bytes) -> bytes:
    """The dates of a PDF, at their lengths, since it counts its bytes."""
    return re.sub(rb"(Date \(D:)\d{14}", rb"\g<1>20000101000000", pdf)


def _sized(png: bytes, dpi: int) -> bytes:
    """Opaque, with its resolution told, which the browser leaves out."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image, io.BytesIO() as file:
        image.convert("RGB").save(file, "png", dpi=(dpi, dpi), optimize=False)
        return file.getvalue()
