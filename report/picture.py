"""The README's picture and the site's card: every neuron of the embedded model.

They are drawn from the committed results.

Run with ``make picture``; it needs Chromium, which kaleido drives.
"""

import os
import shutil
from pathlib import Path

from analysis import EMBEDDED, results
from analysis.figures import FIGURES
from analysis.figures.style import themed

DOCS = Path(__file__).resolve().parent.parent / "docs"
SIZES = {"sweep.png": (900, 480, 2), "card.png": (1200, 630, 1)}
"""Width, height and scale of each picture."""
STUDY = results.ROOT / EMBEDDED


def main() -> None:
    """Write the pictures, on white."""
    os.environ.setdefault("BROWSER_PATH", shutil.which("chromium") or "")
    drawing = FIGURES["neuron_sweep"]
    figure = themed(drawing.draw(results.load(STUDY, drawing.step, drawing.kind)), "light")
    figure.update_layout(paper_bgcolor="white")
    DOCS.mkdir(exist_ok=True)
    for name, (width, height, scale) in SIZES.items():
        with results.whole(DOCS / name) as scratch:
            figure.write_image(scratch, format="png", width=width, height=height, scale=scale)
        print(DOCS / name)


if __name__ == "__main__":
    main()
