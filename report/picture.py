"""The README's picture and the site's card: every neuron of the embedded model.

They are drawn from the committed results.

Run with ``make picture``; it needs Chromium, which kaleido drives.
"""

from pathlib import Path

from analysis import EMBEDDED, results
from analysis.figures import FIGURES
from report.images import draw, find_browser

DOCS = Path(__file__).resolve().parent.parent / "docs"
SIZES = {"sweep.png": (900, 480, 2), "card.png": (1200, 630, 1)}
"""Width, height and scale of each picture."""
STUDY = results.ROOT / EMBEDDED


def main() -> None:
    """Write the pictures, on white."""
    drawing, browser = FIGURES["neuron_sweep"], find_browser()
    figure = drawing.draw(results.load(STUDY, drawing.step, drawing.kind))
    DOCS.mkdir(exist_ok=True)
    for name, (width, height, scale) in SIZES.items():
        figures = {Path(name).stem: figure.update_layout(height=height)}
        content = draw(figures, browser, ["png"], width, scale)[name]
        with results.whole(DOCS / name) as scratch:
            scratch.write_bytes(content)
        print(DOCS / name)


if __name__ == "__main__":
    main()
