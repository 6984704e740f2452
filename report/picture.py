"""The README's picture: every neuron of the embedded model, drawn from the committed results.

Run with ``make picture``; it needs Chromium, which kaleido drives.
"""

import os
import shutil
from pathlib import Path

from analysis import EMBEDDED, results
from analysis.figures import FIGURES
from analysis.figures.style import themed

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "sweep.png"
STUDY = results.ROOT / EMBEDDED


def main() -> None:
    """Write the picture, on white, at twice its size for sharp screens."""
    os.environ.setdefault("BROWSER_PATH", shutil.which("chromium") or "")
    drawing = FIGURES["neuron_sweep"]
    figure = themed(drawing.draw(results.load(STUDY, drawing.step, drawing.kind)), "light")
    figure.update_layout(paper_bgcolor="white")
    PICTURE.parent.mkdir(exist_ok=True)
    with results.whole(PICTURE) as scratch:
        figure.write_image(scratch, format="png", width=900, height=480, scale=2)
    print(PICTURE)


if __name__ == "__main__":
    main()
